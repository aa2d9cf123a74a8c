"""Judges a client assertion with PyJWT and cryptography.

stdin: a JSON object with `token`, `root` (base64 DER), `audience` and `now` (seconds).
stdout: a JSON object with `header` and `claims`, if everything holds; otherwise a message on stderr
and a non-zero exit.
"""

import base64
import json
import sys
from datetime import datetime, timezone

import jwt
from cryptography import x509


def main() -> None:
    question = json.load(sys.stdin)
    token = question["token"]
    header = jwt.get_unverified_header(token)
    chain = [x509.load_der_x509_certificate(base64.b64decode(c, validate=True)) for c in header["x5c"]]
    root = x509.load_der_x509_certificate(base64.b64decode(question["root"]))
    judge_chain(chain, root, datetime.fromtimestamp(question["now"], timezone.utc))
    claims = jwt.decode(
        token,
        chain[0].public_key(),
        algorithms=["RS256"],
        audience=question["audience"],
        # The times are judged below, at the moment asked about instead of the clock's.
        options={
            "require": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
            "strict_aud": True,
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )
    judge_times(claims, question["now"])
    json.dump({"header": header, "claims": claims}, sys.stdout)


def judge_chain(chain, root, now) -> None:
    assert chain[-1] == root, "x5c does not end in the trusted root"
    for certificate, issuer in zip(chain, chain[1:] + [root]):
        certificate.verify_directly_issued_by(issuer)
        assert certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc, "validity"
    for authority in chain[1:]:
        assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca, "CA"


def judge_times(claims, now) -> None:
    for name in ("iat", "nbf", "exp"):
        assert type(claims[name]) is int, f"{name} is no JSON integer"
    assert claims["exp"] == claims["iat"] + 30 and claims["nbf"] == claims["iat"]
    assert claims["iat"] <= now < claims["exp"], "not valid now"


main()
