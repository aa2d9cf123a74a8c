"""Makes a corpus of client assertions of iSHARE 2.1, right and wrong, one rule each, with the verdict and the rule.

Written from the schemes' pages and the RFCs with the library `cryptography` and nothing else: it shares no code with the
product. Usage: corpus.py FILE. docs/corpus.md describes the format.
"""

import base64
import datetime
import hashlib
import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

NOW = 1_800_000_000
DAY = 24 * 3600
PROVIDER = "did:ishare:EU.NL.NTRNL-90000009"
CONSUMER = "did:ishare:EU.NL.NTRNL-12345678"
OTHER = "did:ishare:EU.NL.NTRNL-20000002"
EORI = "EU.EORI.NL123456789"
REGISTRY = "EU.EORI.NL000000000"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64(data):
    return base64.b64encode(data).decode()


def compact(value):
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def rsa_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name(common, **more):
    parts = [(NameOID.COUNTRY_NAME, "NL"), (NameOID.ORGANIZATION_NAME, more.get("o", "Corpus")), (NameOID.COMMON_NAME, common)]
    if "organization" in more:
        parts.append((NameOID.ORGANIZATION_IDENTIFIER, more["organization"]))
    if "serial" in more:
        parts.append((NameOID.SERIAL_NUMBER, more["serial"]))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


USAGES = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
          "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]


def usage(*names):
    return x509.KeyUsage(**{each: each in names for each in USAGES})


class Entity:
    """A key and a certificate for it."""

    def __init__(self, key, subject, issuer=None, *, ca=None, path=None, usages=None, begin=-DAY, end=730 * DAY,
                 hash=hashes.SHA256(), pss=False, eku=None, eku_critical=False, extra=(), issuer_key=None, basic=True):
        self.key, self.subject = key, subject
        above = issuer or self
        signer = issuer_key or above.key
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(above.subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(moment(NOW + begin)).not_valid_after(moment(NOW + end)))
        if basic:
            builder = builder.add_extension(x509.BasicConstraints(ca=bool(ca), path_length=path), critical=True)
        if usages is None:
            usages = ("key_cert_sign", "crl_sign") if ca else ("content_commitment",)
        if usages:
            builder = builder.add_extension(usage(*usages), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        if eku:
            builder = builder.add_extension(x509.ExtendedKeyUsage(eku), critical=eku_critical)
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical=critical)
        if isinstance(signer, ed25519.Ed25519PrivateKey):
            self.certificate = builder.sign(signer, None)
        elif pss:
            self.certificate = builder.sign(signer, hash, rsa_padding=padding.PSS(padding.MGF1(hash), hash.digest_size))
        else:
            self.certificate = builder.sign(signer, hash)
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)

    def crl(self, revoked=(), begin=-3600, end=DAY):
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.subject)
                   .last_update(moment(NOW + begin)).next_update(moment(NOW + end)))
        for each in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
                .revocation_date(moment(NOW - 7200)).build())
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        return b64(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


HASHES = {"RS256": hashes.SHA256, "RS384": hashes.SHA384, "RS512": hashes.SHA512}


def sign(key, header, payload, *, hash=None, pss=False, input=None):
    input = input or f"{b64url(compact(header))}.{b64url(compact(payload))}"
    algorithm = header.get("alg") if isinstance(header, dict) else "RS256"
    hash = hash or HASHES.get(algorithm if isinstance(algorithm, str) else "", hashes.SHA256)()
    pad = padding.PSS(padding.MGF1(hash), 32) if pss else padding.PKCS1v15()
    return f"{input}.{b64url(key.sign(input.encode(), pad, hash))}"


def header_of(chain, **changes):
    header = {"alg": "RS256", "typ": "JWT", "x5c": [b64(each.der) for each in chain]}
    header.update(changes)
    return {member: value for member, value in header.items() if value is not ABSENT}


class Absent:
    pass


ABSENT = Absent()
NUMBER = iter(range(1_000_000))


def claims_of(**changes):
    claims = {"iss": CONSUMER, "sub": CONSUMER, "aud": PROVIDER, "iat": NOW, "exp": NOW + 30, "jti": f"jti-{next(NUMBER)}"}
    claims.update(changes)
    return {member: value for member, value in claims.items() if value is not ABSENT}


# Who there is.
ROOT = Entity(rsa_key(), name("Corpus Root"), ca=True, end=7300 * DAY)
SUB = Entity(rsa_key(), name("Corpus Sub CA"), ROOT, ca=True, path=1, end=7300 * DAY)
ISSUING = Entity(rsa_key(), name("Corpus Issuing CA"), SUB, ca=True, path=0, end=7300 * DAY)
AUTHORITIES = [ISSUING, SUB, ROOT]
KEY, OTHER_KEY, REGISTRY_KEY = rsa_key(), rsa_key(), rsa_key()
SEAL = name("Corpus Consumer", organization="NTRNL-12345678")
LEAF = Entity(KEY, SEAL, ISSUING)
CHAIN = [LEAF, *AUTHORITIES]
REGISTRY_SEAL = Entity(REGISTRY_KEY, name("Corpus Registry", serial=REGISTRY), ISSUING)


def listed(ca, **changes):
    entry = {"subject": ca.certificate.subject.rfc4514_string(), "validity": "valid", "status": "granted",
             "certificate_fingerprint": hashlib.sha256(ca.der).hexdigest()}
    entry.update(changes)
    return entry


def party(id=CONSUMER, status="Active", chain=None, certificates=None, **changes):
    chain = chain or CHAIN
    if certificates is None:
        certificates = [{"subject_name": chain[0].certificate.subject.rfc4514_string(), "certificate_type": "eSEAL",
                         "x5c": [b64(each.der) for each in chain],
                         "x5t#s256": hashlib.sha256(chain[0].der).hexdigest()}]
    info = {"party_id": id, "party_name": "Corpus Party", "adherence": {"status": status}, "certificates": certificates,
            "roles": [{"role": "ServiceConsumer"}]}
    info.update(changes)
    return info


def said(content, *, key=None, chain=None, header=None, **changes):
    """What the registry says, signed by its seal."""
    claims = {"iss": REGISTRY, "sub": REGISTRY, "aud": PROVIDER, "iat": NOW, "exp": NOW + 30, "jti": f"r-{next(NUMBER)}"}
    claims.update(content)
    claims.update(changes)
    header = header_of(chain or [REGISTRY_SEAL, *AUTHORITIES], **(header or {}))
    return sign(key or REGISTRY_KEY, header, claims)


def registry(entries=None, info=None, **changes):
    """A registry with that list and that one party; None: it knows nobody."""
    entries = [listed(ca) for ca in AUTHORITIES] if entries is None else entries
    party_token = None if info is None else said({"party_info": info}, **changes.get("of_party", {}))
    return {"trusted_list_token": said({"trusted_list": entries}, **changes.get("of_list", {})), "party_token": party_token}


HONEST = registry(info=party())
CASES = []


REGISTRIES = [HONEST]


def number_of(registry):
    if registry not in REGISTRIES:
        REGISTRIES.append(registry)
    return REGISTRIES.index(registry)


def case(title, rule, assertion, *, client_id=CONSUMER, of=None, crls=None, now=NOW, before=None, source=""):
    """`rule` None: accepted."""
    CASES.append({"name": title, "accept": rule is None, "rule": rule, "source": source, "now": now,
                  "client_id": client_id, "client_assertion": assertion, "presented_before": before,
                  "registry": number_of(of or HONEST), "crls": crls})


def claims_case(title, rule, source="", now=NOW, client_id=CONSUMER, **changes):
    case(title, rule, sign(KEY, header_of(CHAIN), claims_of(**changes)), source=source, now=now, client_id=client_id)


def payload_case(title, rule, payload, source=""):
    case(title, rule, sign(KEY, header_of(CHAIN), payload), source=source)


# What no document demands: limits of a receiver, and what a text leaves open.
CHOICE = "a choice: "


def header_case(title, rule, source="", **changes):
    case(title, rule, sign(KEY, header_of(CHAIN, **changes), claims_of()), source=source)


def chain_case(title, rule, chain, *, key=None, entries=None, source="", **more):
    """A chain of its own, whose CAs are listed and whose leaf is registered."""
    entries = [listed(ca) for ca in chain[1:]] if entries is None else entries
    of = registry(entries, party(chain=chain))
    case(title, rule, sign(key or KEY, header_of(chain), claims_of()), of=of, source=source, **more)


def good():
    case("a good assertion", None, sign(KEY, header_of(CHAIN), claims_of()))
    for algorithm in ("RS384", "RS512"):
        header_case(f"alg {algorithm}", None, "iSHARE 2.1, JWT header", alg=algorithm)
    claims_case("nbf equals iat", None, nbf=NOW)
    claims_case("a claim of one's own", None, purpose={"nested": [1, None, "x"]})
    claims_case("a jti of 255 characters", None, jti="j" * 255)
    claims_case("a jti outside ASCII", None, jti="jti-é-漢-😀")
    claims_case("a jti of one character", None, jti="~")
    claims_case("just issued, by a clock 5 s ahead", None, iat=NOW + 5, exp=NOW + 35)
    claims_case("issued 29 s ago", None, iat=NOW - 29, exp=NOW + 1)
    claims_case("expired 4 s ago, within the leeway", None, iat=NOW - 34, exp=NOW - 4)
    escaped = json.dumps(claims_of()).replace('"iss"', '"\\u0069ss"').encode()
    payload_case("a member's name that is escaped", None, escaped)
    payload_case("white space in the payload", None, json.dumps(claims_of(), indent=4).encode())
    for position, ca in enumerate(AUTHORITIES):
        case(f"only CA {position} is listed", None, sign(KEY, header_of(CHAIN), claims_of()),
             of=registry([listed(ca)], party()))
    upper = listed(ISSUING)
    upper["certificate_fingerprint"] = upper["certificate_fingerprint"].upper()
    case("a fingerprint in upper case", None, sign(KEY, header_of(CHAIN), claims_of()), of=registry([upper], party()))
    for title, entry in (
        ("x5t#s256 alone", {"x5t#s256": hashlib.sha256(LEAF.der).hexdigest()}),
        ("x5c alone", {"x5c": [b64(LEAF.der)]}),
    ):
        of = registry(info=party(certificates=[entry]))
        case(f"registered by {title}", None, sign(KEY, header_of(CHAIN), claims_of()), of=of)
    older = Entity(OTHER_KEY, SEAL, ISSUING)
    entries = [{"x5c": [b64(each.der)]} for each in (older, LEAF)]
    case("the second of two registered certificates", None, sign(KEY, header_of(CHAIN), claims_of()),
         of=registry(info=party(certificates=entries)))
    case("several ids of one party", None, sign(KEY, header_of(CHAIN), claims_of()),
         of=registry(info=party(id=[EORI, CONSUMER])))
    case("an EORI, which no certificate has", None, sign(KEY, header_of(CHAIN), claims_of(iss=EORI, sub=EORI)),
         client_id=EORI, of=registry(info=party(id=EORI)))
    case("revocation: nobody revoked", None, sign(KEY, header_of(CHAIN), claims_of()),
         crls=[ca.crl() for ca in AUTHORITIES])


def algorithms_of_authorities():
    """CAs that public trust services have."""
    for title, key, arguments in (
        ("ECDSA P-256", ec.generate_private_key(ec.SECP256R1()), {}),
        ("ECDSA P-384", ec.generate_private_key(ec.SECP384R1()), {"hash": hashes.SHA384()}),
        ("ECDSA P-521", ec.generate_private_key(ec.SECP521R1()), {"hash": hashes.SHA512()}),
        ("Ed25519", ed25519.Ed25519PrivateKey.generate(), {}),
        ("RSA-3072, SHA-384", rsa_key(3072), {"hash": hashes.SHA384()}),
        ("RSA-4096, SHA-512", rsa_key(4096), {"hash": hashes.SHA512()}),
        ("RSASSA-PSS", rsa_key(), {"pss": True}),
    ):
        root = Entity(key, name(f"Root of {title}"), ca=True, **arguments)
        chain_case(f"a CA of {title}", None, [Entity(KEY, SEAL, root, **arguments), root])


WRONG = [("null", None), ("true", True), ("an object", {}), ("an array", [])]


def wrong_claims():
    texts = {"iss": "claim-iss", "sub": "claim-sub", "aud": "claim-aud", "jti": "claim-jti"}
    for member, rule in texts.items():
        claims_case(f"{member} is missing", rule, "RFC 7523 section 3", **{member: ABSENT})
        for title, value in [*WRONG, ("a number", 7), ("empty", "")]:
            claims_case(f"{member} is {title}", rule, "RFC 7519 section 4.1", **{member: value})
    for member, rule in {"iat": "claim-iat", "exp": "claim-exp"}.items():
        claims_case(f"{member} is missing", rule, "iSHARE, JWT payload", **{member: ABSENT})
        for title, value in [*WRONG, ("text", str(NOW)), ("a date", "2027-01-15T08:00:00Z"), ("negative", -1),
                             ("a fraction", NOW + 0.5), ("beyond the year 9999", 253_402_300_800)]:
            claims_case(f"{member} is {title}", rule, "RFC 7519 section 2, NumericDate", **{member: value})
    for title, value in [*WRONG, ("text", str(NOW)), ("negative", -1)]:
        claims_case(f"nbf is {title}", "claim-nbf", "RFC 7519 section 4.1.5, NumericDate", nbf=value)
    for title, value in ("one second before iat", NOW - 1), ("one second after iat", NOW + 1):
        claims_case(f"nbf is {title}", "claim-nbf", f"{CHOICE}nbf equals iat if it is there, as at bdi-stack", nbf=value)
    claims_case("iss and sub differ", "iss-equals-sub", "RFC 7523 section 3", sub=OTHER)
    for title, value in (
        ("as a page misprints it", "did:ishare:EU.NL.NTRLNL-12345678"), ("in lower case", CONSUMER.lower()),
        ("with a blank", CONSUMER + " "), ("an EORI in lower case", "eu.eori.nl123456789"), ("no party id", "consumer"),
        ("256 characters long", "EU.EORI.NL" + "1" * 246), ("with a newline", CONSUMER + "\n"),
        ("with a zero byte", CONSUMER + "\0"),
    ):
        claims_case(f"the party id is {title}", "client-id", "iSHARE, party identifiers", client_id=value, iss=value, sub=value)
    for title, value in (
        ("another party", OTHER), ("the sender", CONSUMER), ("an array with the receiver", [PROVIDER]),
        ("an array of two", [PROVIDER, OTHER]), ("the receiver with a slash", PROVIDER + "/"),
        ("the receiver in lower case", PROVIDER.lower()), ("the URL of the token endpoint", "https://sp.example/connect/token"),
        ("the receiver with a blank", " " + PROVIDER), ("513 characters long", "EU.EORI.NL" + "1" * 503),
    ):
        claims_case(f"aud is {title}", "claim-aud", "iSHARE, JWT payload: aud MUST contain only the server's party identifier", aud=value)
    claims_case("a jti of 256 characters", "claim-jti", f"{CHOICE}255 characters at most", jti="j" * 256)
    for seconds in (-30, 0, 1, 29, 31, 60, 5690, 315_360_000):
        claims_case(f"exp - iat is {seconds} s", "lifetime", "iSHARE, JWT payload: 30 seconds", exp=NOW + seconds)
    claims_case("iat and exp in milliseconds", "claim-iat", "RFC 7519 section 2, NumericDate", iat=NOW * 1000, exp=NOW * 1000 + 30)
    early, late = "RFC 7523 section 3, point 6", "RFC 7523 section 3, point 4"
    claims_case("issued by a clock 6 s ahead", "time-not-future", early, iat=NOW + 6, exp=NOW + 36)
    claims_case("issued tomorrow", "time-not-future", early, iat=NOW + DAY, exp=NOW + DAY + 30)
    claims_case("expired 5 s ago", "time-not-expired", late, iat=NOW - 35, exp=NOW - 5)
    claims_case("expired a year ago", "time-not-expired", late, iat=NOW - 365 * DAY, exp=NOW - 365 * DAY + 30)
    for client_id in (OTHER, CONSUMER.lower(), CONSUMER + " ", ""):
        claims_case(f"client_id is {client_id!r}", "client-id", "iSHARE: client_id MUST contain the valid iSHARE identifier",
                    client_id=client_id)
    claims_case("client_id is missing", "token-request", "iSHARE, token request: client_id", client_id=None)


def wrong_json():
    text = compact(claims_of())
    for title, payload in (
        ("empty", b""), ("null", b"null"), ("an array", b"[" + text + b"]"), ("text", b'"x"'), ("cut short", text[:-1]),
        ("two objects", text + text), ("behind a byte order mark", b"\xef\xbb\xbf" + text), ("not UTF-8", text[:-1] + b',"x":"\xff"}'),
        ("with iss twice", text[:-1] + b',"iss":"' + CONSUMER.encode() + b'"}'),
        ("with jti twice, once escaped", text[:-1] + b',"\\u006ati":"other"}'),
        ("with a trailing comma", text[:-1] + b",}"), ("with a comment", text[:-1] + b"/**/}"),
        ("with NaN", text[:-1] + b',"x":NaN}'), ("with a leading zero", text[:-1] + b',"x":01}'),
        ("with a raw control character", text[:-1] + b',"x":"\x01"}'), ("with single quotes", text.replace(b'"', b"'")),
    ):
        payload_case(f"the payload is {title}", "payload-json", payload, "RFC 8259; RFC 7519 section 4")
    half = text[:-1] + b',"x":"\\ud800"}'
    payload_case("the payload is with half a surrogate pair", "payload-json", half, f"{CHOICE}RFC 8259 section 8.2 leaves it open")
    deep = text[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}"
    payload_case("the payload is nested too deep", "payload-json", deep, f"{CHOICE}RFC 8259 section 9 leaves it open")
    head = compact(header_of(CHAIN))
    for title, header in (
        ("empty", b""), ("an array", b"[]"), ("cut short", head[:-1]), ("with alg twice", head[:-1] + b',"alg":"none"}'),
        ("with typ twice, once escaped", head[:-1] + b',"t\\u0079p":"JWT"}'), ("not UTF-8", head[:-1] + b',"x":"\xff"}'),
        ("followed by another object", head + b"{}"),
    ):
        case(f"the header is {title}", "header-json", sign(KEY, header, claims_of()), source="RFC 7515 section 4")


def wrong_forms():
    token = sign(KEY, header_of(CHAIN), claims_of())
    header, payload, signature = token.split(".")
    for title, text in (
        ("empty", ""), ("one part", header), ("two parts", f"{header}.{payload}"), ("four parts", token + ".x"),
        ("five parts, as a JWE has", token + ".x.y"), ("in JSON serialization", json.dumps({"payload": payload})),
        ("200,000 letters and no dot", "a" * 200_000), ("with a blank at its end", token + " "),
        ("with a newline at its end", token + "\n"), ("padded in the signature", token + "=="),
        ("in standard base64 in the signature", f"{header}.{payload}." + signature[:-2] + "+/"),
        ("with stray bits in the signature", token[:-1] + ("B" if token[-1] != "B" else "C")),
    ):
        case(f"the assertion is {title}", "jws-form", text, source="RFC 7515 section 7.1")
    for title, text in (
        ("padded in the header", f"{header}=.{payload}.{signature}"),
        ("with a newline in the header", f"{header[:76]}\n{header[76:]}.{payload}.{signature}"),
        ("padded in the payload", f"{header}.{payload}==.{signature}"),
        ("in standard base64 in the payload", f"{header}.{payload[:-4]}++++.{signature}"),
    ):
        case(f"the assertion is {title}", "jws-form", text, source="RFC 7515 section 2")


def wrong_headers():
    for value in ("none", "HS256", "PS256", "ES256", "EdDSA", "rs256", "RS1", "", None, 256, ["RS256"], ABSENT):
        title = "missing" if value is ABSENT else json.dumps(value)
        header_case(f"alg is {title}", "header-alg", "iSHARE, JWT header: RS256, RS384 or RS512", alg=value)
    for value in ("at+jwt", "JOSE", "", None, 7, ABSENT):
        title = "missing" if value is ABSENT else json.dumps(value)
        header_case(f"typ is {title}", "header-typ", "iSHARE, JWT header: typ JWT", typ=value)
    for member, value in {
        "kid": "1", "jku": "https://evil.example/keys", "jwk": {"kty": "RSA"}, "x5u": "https://evil.example/chain", "crit": ["exp"],
        "cty": "JWT", "b64": False, "zip": "DEF", "x5t": "AA", "x5t#S256": "AA", "iss": CONSUMER,
    }.items():
        header_case(f"the header has {member}", "header-members", "iSHARE, JWT header: no other member", **{member: value})
    one = b64(LEAF.der)
    for title, value in (("missing", ABSENT), ("null", None), ("one text", one), ("empty", []), ("an object", {"0": one}),
                         ("numbers", [1]), ("an array in an array", [[one]])):
        header_case(f"x5c is {title}", "header-x5c", "RFC 7515 section 4.1.6", x5c=value)
    whole = [b64(each.der) for each in CHAIN]
    pem = LEAF.certificate.public_bytes(serialization.Encoding.PEM).decode()
    for title, first in (
        ("base64url", b64url(LEAF.der)), ("PEM", pem), ("broken into lines", "\n".join(one[at:at + 64] for at in range(0, len(one), 64))),
        ("without padding or with too much", one + "="), ("no base64", "?" * 8),
    ):
        header_case(f"x5c has {title}", "x5c-encoding", "RFC 7515 section 4.1.6: base64, not base64url", x5c=[first, *whole[1:]])
    for title, first in (
        ("a certificate with a byte behind it", b64(LEAF.der + b"\0")), ("a certificate that is cut short", b64(LEAF.der[:-1])),
        ("no certificate", b64(b"hello")), ("an empty text", ""), ("a public key", b64(KEY.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))),
    ):
        rule = "x5c-certificates"
        header_case(f"x5c has {title}", rule, "RFC 7515 section 4.1.6: a DER certificate", x5c=[first, *whole[1:]])
    order = "iSHARE, JWT header: the complete chain"
    header_case("x5c is root first", "x5c-order", order, x5c=whole[::-1])
    header_case("x5c has two CAs exchanged", "x5c-order", order, x5c=[whole[0], whole[2], whole[1], whole[3]])
    header_case("x5c lacks the root", "x5c-root", order, x5c=whole[:3])
    header_case("x5c is the leaf alone", "x5c-root", order, x5c=whole[:1])
    header_case("x5c has the leaf twice", "x5c-order", order, x5c=[whole[0], *whole])
    header_case("x5c lacks the sub CA", "x5c-order", order, x5c=[whole[0], whole[1], whole[3]])
    header_case("x5c has a stranger", "x5c-order", order, x5c=[*whole, b64(REGISTRY_SEAL.der)])
    header_case("x5c has seven certificates", "x5c-certificates", order, x5c=[*whole, *whole[1:]])


def wrong_signatures():
    header, claims = header_of(CHAIN), claims_of
    rule, source = "signature", "RFC 7515 section 5.2"
    case("signed by another key", rule, sign(OTHER_KEY, header, claims()), source=source)
    case("signed by a CA of the chain", rule, sign(ISSUING.key, header, claims()), source=source)
    case("signed with PSS", rule, sign(KEY, header, claims(), pss=True), source=source)
    case("signed over SHA-384, named RS256", rule, sign(KEY, header, claims(), hash=hashes.SHA384()), source=source)
    case("signed over SHA-256, named RS384", rule, sign(KEY, header_of(CHAIN, alg="RS384"), claims(), hash=hashes.SHA256()), source=source)
    case("signed over SHA-1", rule, sign(KEY, header, claims(), hash=hashes.SHA1()), source=source)
    token = sign(KEY, header, claims())
    signed, signature = token.rsplit(".", 1)
    raw = base64.urlsafe_b64decode(signature + "==")
    for title, bytes_ in (
        ("of zeros", bytes(256)), ("of ones", b"\xff" * 256), ("one byte short", raw[:-1]), ("one byte long", raw + b"\0"),
        ("with a zero before it", b"\0" + raw), ("with one bit flipped", raw[:-1] + bytes([raw[-1] ^ 1])), ("empty", b""),
        ("reversed", raw[::-1]), ("plus the modulus", None),
    ):
        if bytes_ is None:
            number = int.from_bytes(raw, "big") + KEY.public_key().public_numbers().n
            bytes_ = number.to_bytes(257, "big")
        case(f"a signature {title}", rule, f"{signed}.{b64url(bytes_)}", source=source)
    changed = claims()
    case("claims changed after signing", rule,
         f"{b64url(compact(header))}.{b64url(compact({**changed, 'jti': 'changed'}))}.{sign(KEY, header, changed).rsplit('.', 1)[1]}", source=source)
    hmac_key = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    import hmac
    input = f"{b64url(compact({**header, 'alg': 'HS256'}))}.{b64url(compact(claims()))}"
    mac = hmac.new(hmac_key, input.encode(), hashlib.sha256).digest()
    case("HS256 with the public key as the secret", "header-alg", f"{input}.{b64url(mac)}", source="RFC 8725 section 2.1")


def wrong_chains():
    dates = "RFC 5280 section 4.1.2.5"
    chain_case("the seal has expired", "x5c-dates", [Entity(KEY, SEAL, ISSUING, end=-1), *AUTHORITIES], source=dates)
    chain_case("the seal is not valid yet", "x5c-dates", [Entity(KEY, SEAL, ISSUING, begin=1), *AUTHORITIES], source=dates)
    chain_case("the seal ends this second", None, [Entity(KEY, SEAL, ISSUING, end=0), *AUTHORITIES], source=dates)
    chain_case("the seal begins this second", None, [Entity(KEY, SEAL, ISSUING, begin=0), *AUTHORITIES], source=dates)
    old = Entity(rsa_key(), name("Expired CA"), ROOT, ca=True, end=-1)
    chain_case("a CA has expired", "x5c-dates", [Entity(KEY, SEAL, old), old, ROOT], source=dates)
    seal_usage = "iSHARE, certificate validation: key usage equal to Non-Repudiation"
    for usages in (["digital_signature"], ["key_encipherment"], ["digital_signature", "key_encipherment"], ["data_encipherment"]):
        chain_case(f"key usage {' and '.join(usages)}", "leaf-key-usage", [Entity(KEY, SEAL, ISSUING, usages=usages), *AUTHORITIES], source=seal_usage)
    chain_case("no key usage", "leaf-key-usage", [Entity(KEY, SEAL, ISSUING, usages=()), *AUTHORITIES], source=seal_usage)
    purposes = {"server authentication": ExtendedKeyUsageOID.SERVER_AUTH, "OCSP signing": ExtendedKeyUsageOID.OCSP_SIGNING,
                "time stamping": ExtendedKeyUsageOID.TIME_STAMPING, "code signing": ExtendedKeyUsageOID.CODE_SIGNING}
    for title, oid in purposes.items():
        for critical in (False, True):
            chain_case(f"for {title} alone{', critical' * critical}", "leaf-purpose",
                       [Entity(KEY, SEAL, ISSUING, eku=[oid], eku_critical=critical), *AUTHORITIES], source="RFC 5280 section 4.2.1.12")
    for title, oid in {"email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION, "client authentication": ExtendedKeyUsageOID.CLIENT_AUTH,
                       "document signing": ObjectIdentifier("1.3.6.1.4.1.311.10.3.12")}.items():
        chain_case(f"for {title}", None, [Entity(KEY, SEAL, ISSUING, eku=[oid]), *AUTHORITIES])
    proof = "RFC 5280 section 6.1"
    seal_ca = Entity(KEY, SEAL, SUB, ca=True, usages=("content_commitment", "key_cert_sign"))
    chain_case("the seal is a CA", "x5c-chain", [seal_ca, SUB, ROOT], source=proof)
    for title, arguments in (
        ("a CA that is none", {"ca": False, "usages": ("key_cert_sign",)}), ("a CA without basic constraints", {"ca": True, "basic": False}),
        ("a CA that may not sign certificates", {"ca": True, "usages": ("crl_sign",)}),
    ):
        bad = Entity(rsa_key(), name("Bad CA"), ROOT, **arguments)
        chain_case(title, "x5c-chain", [Entity(KEY, SEAL, bad), bad, ROOT], source=proof)
    below = Entity(rsa_key(), name("One CA too many"), ISSUING, ca=True)
    chain_case("one CA more than allowed", "x5c-chain", [Entity(KEY, SEAL, below), below, *AUTHORITIES], source=proof)
    forged = Entity(KEY, SEAL, ISSUING, issuer_key=OTHER_KEY)
    chain_case("a seal that the CA did not sign", "x5c-chain", [forged, *AUTHORITIES], source=proof)
    forged = Entity(rsa_key(), name("Forged CA"), ROOT, ca=True, issuer_key=OTHER_KEY)
    chain_case("a CA that the root did not sign", "x5c-chain", [Entity(KEY, SEAL, forged), forged, ROOT], source=proof)
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    chain_case("an unknown extension", None, [Entity(KEY, SEAL, ISSUING, extra=[(unknown, False)]), *AUTHORITIES])
    chain_case("an unknown critical extension of the seal", "x5c-chain",
               [Entity(KEY, SEAL, ISSUING, extra=[(unknown, True)]), *AUTHORITIES], source=proof)
    bad = Entity(rsa_key(), name("Odd CA"), ROOT, ca=True, extra=[(unknown, True)])
    chain_case("an unknown critical extension of a CA", "x5c-chain", [Entity(KEY, SEAL, bad), bad, ROOT], source=proof)
    for critical in (False, True):
        tree = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "BE")]))
        only = x509.NameConstraints(permitted_subtrees=[tree], excluded_subtrees=None)
        bad = Entity(rsa_key(), name("CA of Belgium"), ROOT, ca=True, extra=[(only, critical)])
        chain_case(f"a name that the CA may not certify{', critical' * critical}", "x5c-chain", [Entity(KEY, SEAL, bad), bad, ROOT], source=proof)
    tree = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "NL")]))
    only = x509.NameConstraints(permitted_subtrees=[tree], excluded_subtrees=None)
    fine = Entity(rsa_key(), name("CA of the Netherlands"), ROOT, ca=True, extra=[(only, True)])
    chain_case("a name that the CA may certify", None, [Entity(KEY, SEAL, fine), fine, ROOT])
    small = rsa_key(1024)
    chain_case("a seal of RSA-1024", "key-size", [Entity(small, SEAL, ISSUING), *AUTHORITIES], key=small, source="RFC 7518 section 3.3")
    curve = ec.generate_private_key(ec.SECP256R1())
    chain = [Entity(curve, SEAL, ISSUING), *AUTHORITIES]
    input = f"{b64url(compact(header_of(chain)))}.{b64url(compact(claims_of()))}"
    signature = curve.sign(input.encode(), ec.ECDSA(hashes.SHA256()))
    case("a seal of ECDSA, named RS256", "key-size", f"{input}.{b64url(signature)}", of=registry(info=party(chain=chain)),
         source="iSHARE 2.1, JWT header: RS256 and up")
    for organization in ("NTRNL-20000002", "NTRNL-1234567", "ntrnl-12345678"):
        seal = Entity(KEY, name("Another", organization=organization), ISSUING)
        chain_case(f"a seal of {organization}", "client-id-in-leaf", [seal, *AUTHORITIES], source="iSHARE, party identifiers")
    chain_case("a seal without organizationIdentifier", "client-id-in-leaf", [Entity(KEY, name("Nobody"), ISSUING), *AUTHORITIES],
               source="iSHARE, party identifiers")
    chain_case("a self-signed seal", "chain-trusted", [Entity(KEY, SEAL)], entries=[listed(ROOT)], source="iSHARE: the trusted list")


def wrong_trust():
    token = lambda: sign(KEY, header_of(CHAIN), claims_of())
    rule, source = "chain-trusted", "iSHARE: a CA on the trusted list"
    twin = Entity(rsa_key(), name("Corpus Issuing CA"), SUB, ca=True, path=0)
    for title, entries in (
        ("the list is empty", []), ("another CA is listed", [listed(twin)]), ("the CA is invalid", [listed(ISSUING, validity="invalid")]),
        ("the CA is withdrawn", [listed(ISSUING, status="withdrawn")]), ("the CA ceased", [listed(ISSUING, status="supervisionceased")]),
        ("the CA is under supervision", [listed(ISSUING, status="undersupervision")]),
        ("the issuing CA is withdrawn, those above it granted", [listed(ISSUING, status="withdrawn"), listed(SUB), listed(ROOT)]),
        ("the CA is granted and withdrawn", [listed(ISSUING), listed(ISSUING, status="withdrawn")]),
        ("the CA is withdrawn and granted", [listed(ISSUING, status="withdrawn"), listed(ISSUING)]),
        ("the seal itself is listed", [listed(LEAF)]), ("the fingerprint is listed under another name", [listed(ISSUING, subject="CN=Another CA,C=NL")]),
        ("a fingerprint of SHA-1", [listed(ISSUING, certificate_fingerprint=hashlib.sha1(ISSUING.der).hexdigest())]),
        ("a fingerprint of the key", [listed(ISSUING, certificate_fingerprint=hashlib.sha256(ISSUING.certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest())]),
    ):
        case(title, rule, token(), of=registry(entries, party()), source=source)
    # Registries write them in both ways.
    for title, entry in (("the status is Granted", listed(ISSUING, status="Granted")), ("the validity is Valid", listed(ISSUING, validity="Valid"))):
        case(title, None, token(), of=registry([entry], party()), source=source)
    twins = [Entity(KEY, SEAL, twin), twin, SUB, ROOT]
    case("a CA of the name of one that is listed", rule, sign(KEY, header_of(twins), claims_of()), of=registry([listed(ISSUING)], party(chain=twins)), source=source)


def wrong_parties():
    token = lambda: sign(KEY, header_of(CHAIN), claims_of())
    rule, source = "party-status", "iSHARE, certificate validation: status Active, and one of its certificates"
    case("the registry does not know the party", rule, token(), of=registry(), source=source)
    for status in ("NotActive", "Pending", "Revoked", "Inactive", "active", "ACTIVE", ""):
        case(f"the party's status is {status!r}", rule, token(), of=registry(info=party(status=status)), source=source)
    other = Entity(OTHER_KEY, SEAL, ISSUING)
    renewed = Entity(KEY, SEAL, ISSUING)
    digest = hashlib.sha256(LEAF.der)
    for title, certificates in (
        ("no certificate", []), ("another certificate", [{"x5c": [b64(other.der)]}]), ("a certificate of the same key", [{"x5c": [b64(renewed.der)]}]),
        ("the CA's certificate", [{"x5c": [b64(ISSUING.der)]}]), ("the fingerprint of another", [{"x5t#s256": hashlib.sha256(other.der).hexdigest()}]),
        ("half a fingerprint", [{"x5t#s256": digest.hexdigest()[:32]}]), ("a fingerprint of SHA-1", [{"x5t#s256": hashlib.sha1(LEAF.der).hexdigest()}]),
        ("another certificate, with the right fingerprint", [{"x5c": [b64(other.der)], "x5t#s256": digest.hexdigest()}]),
        ("the subject's name alone", [{"subject_name": LEAF.certificate.subject.rfc4514_string()}]),
    ):
        case(f"the party registered {title}", rule, token(), of=registry(info=party(certificates=certificates)), source=source)
    case("the registry answers with another party", "unavailable", token(), of=registry(info=party(id=OTHER)), source=source)
    unavailable = "unavailable"
    impostor = [LEAF, *AUTHORITIES]
    source = "iSHARE: decode the parties_token received and check the signature"
    for title, changes in (
        ("signed by another key", {"key": OTHER_KEY}), ("by the seal of a party", {"key": KEY, "chain": impostor}), ("for another receiver", {"aud": OTHER}),
        ("of another issuer", {"iss": OTHER}), ("that has expired", {"iat": NOW - 60, "exp": NOW - 30}), ("of the future", {"iat": NOW + 60, "exp": NOW + 90}),
        ("that lives for a day", {"exp": NOW + DAY}), ("without jti", {"jti": ""}), ("with alg none", {"header": {"alg": "none"}}),
    ):
        case(f"a trusted list {title}", unavailable, token(), of=registry(info=party(), of_list=changes), source=source)
        case(f"a record of a party {title}", unavailable, token(), of=registry(info=party(), of_party=changes), source=source)


def wrong_revocation():
    token = lambda: sign(KEY, header_of(CHAIN), claims_of())
    rule, source = "revocation", "iSHARE: revocation lists still apply; RFC 5280 section 6.3"
    good = [ca.crl() for ca in AUTHORITIES]
    twin = Entity(rsa_key(), name("Corpus Issuing CA"), SUB, ca=True, path=0)
    for title, lists in (
        ("the seal is revoked", [ISSUING.crl([LEAF]), *good[1:]]), ("the issuing CA is revoked", [good[0], SUB.crl([ISSUING]), good[2]]),
        ("the sub CA is revoked", [*good[:2], ROOT.crl([SUB])]), ("no list of the issuing CA", good[1:]), ("a list that is out of date", [ISSUING.crl(begin=-2 * DAY, end=-DAY), *good[1:]]),
        ("a list of the future", [ISSUING.crl(begin=3600), *good[1:]]), ("a list of another CA of the same name", [twin.crl(), *good[1:]]),
        ("revoked by a list that is out of date", [ISSUING.crl([LEAF], begin=-2 * DAY, end=-DAY), *good[1:]]),
    ):
        case(f"revocation: {title}", rule, token(), crls=lists, source=source)


def replayed():
    for title, claims in (("the same assertion", None), ("the same jti in another assertion", {"nbf": NOW})):
        first = claims_of()
        token = sign(KEY, header_of(CHAIN), first)
        again = token if claims is None else sign(KEY, header_of(CHAIN), {**first, **claims})
        case(f"{title}, presented before", "replay", again, before=token, source="RFC 7523 section 3, point 7")
    first = claims_of()
    forged = sign(OTHER_KEY, header_of(CHAIN), first)
    case("a forgery with the same jti, presented before", None, sign(KEY, header_of(CHAIN), first), before=forged)


def main():
    for part in (good, algorithms_of_authorities, wrong_claims, wrong_json, wrong_forms, wrong_headers, wrong_signatures, wrong_chains,
                 wrong_trust, wrong_parties, wrong_revocation, replayed):
        part()
    names = [each["name"] for each in CASES]
    assert len(set(names)) == len(names), [each for each in names if names.count(each) > 1]
    assert all(each["accept"] or each["source"] for each in CASES)
    corpus = {"scheme": "ishare", "audience": PROVIDER, "leeway": 5, "registry_id": REGISTRY, "registry_trust": b64(ROOT.der), "registries": REGISTRIES,
              "cases": CASES}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(corpus, file, ensure_ascii=False, indent=1)


main()
