//! What is judged in both ways: tokens, chains, certification requests.

use std::sync::OnceLock;
use std::{fs, iter};

use privyseal::pki::pem;
use privyseal_test_base::scratch::{cache_dir, host_tests, ishare_chain, workspace};
use privyseal_test_base::tool::{command, run};
use privyseal_test_judges::decode::{to_base64, to_base64url};
use privyseal_test_judges::python;
use privyseal_test_pki::pkits::{self, Case, suite};
use privyseal_test_pki::{Authority, CertificateSpec, pem_chain, test_key};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

use crate::NOW;

pub(crate) fn examples() -> Vec<Value> {
    let path = workspace().join("host/web/page/examples.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What is judged in both ways: what the page is told, and how the command is called.
pub(crate) fn cases() -> Vec<Value> {
    let examples = examples();
    let good = &examples[0];
    let token = good["input"].as_str().unwrap();
    let with = |input: &str, now: u64| {
        let mut case = good.clone();
        case["input"] = json!(input);
        case["now"] = json!(now);
        case
    };
    let (body, signature) = token.rsplit_once('.').unwrap();
    let mut cases = examples.clone();
    // The same token late, early, without its signature, with another one, and cut off at every part.
    let broken = [
        (token.to_owned(), NOW + 31),
        (token.to_owned(), NOW - 1),
        (format!("{body}."), NOW),
        (
            format!("{body}.{}", signature.chars().rev().collect::<String>()),
            NOW,
        ),
        (body.to_owned(), NOW),
        (token[..200].to_owned(), NOW),
        ("{}".to_owned(), NOW),
        ("<b>no token</b>".to_owned(), NOW),
        (".".repeat(3), NOW),
    ];
    cases.extend(broken.iter().map(|(input, now)| with(input, *now)));
    for scheme in ["fiam", "ishare", "ishare-1", "itsme", "ehealth"] {
        let mut case = with(token, NOW);
        case["scheme"] = json!(scheme);
        cases.push(case);
    }
    cases.extend(
        scheme_vectors()
            .iter()
            .map(|input| json!({ "input": input, "now": NOW })),
    );
    cases.extend(
        corpus()
            .iter()
            .map(|input| json!({ "input": input, "now": NOW })),
    );
    cases.extend(
        hostile_tokens()
            .iter()
            .map(|input| json!({ "input": input, "now": NOW })),
    );
    cases.extend(in_other_things(token).iter().map(|input| with(input, NOW)));
    cases.extend(
        told_as_they_are()
            .iter()
            .map(|input| json!({ "input": input, "now": NOW })),
    );
    let own = fs::read_to_string(workspace().join("docs/own-scheme.toml")).unwrap();
    for input in [
        token,
        &sign(r#"{"iss":"a","sub":"a","aud":"https://as.example/token"}"#),
    ] {
        cases.push(json!({ "input": input, "own": own, "now": NOW }));
    }
    for keys in [&["seal"][..], &["seal", "stranger"], &["stranger"]] {
        let jwk = |name: &&str| {
            let key = test_key(name, 2048).public_key();
            json!({ "kty": "RSA", "kid": "key-2026", "n": to_base64url(key.modulus()), "e": "AQAB" })
        };
        let keys = json!({ "keys": keys.iter().map(jwk).collect::<Vec<_>>() }).to_string();
        let input = sign(r#"{"iss":"a","sub":"a","aud":"https://as.example/token"}"#);
        cases.push(json!({ "input": input, "keys": keys, "scheme": "ehealth", "audience": "x", "now": NOW }));
    }
    let mut with_list = good.clone();
    with_list["lists"] = json!(revocation_list());
    cases.push(with_list);
    cases.extend(conformance().iter().map(
        |case| json!({ "input": case["client_assertion"], "now": case["now"], "scheme": "ishare" }),
    ));
    cases
}

/// A list of some CA, made once: it says nothing of the others.
fn revocation_list() -> &'static str {
    static LIST: OnceLock<String> = OnceLock::new();
    LIST.get_or_init(|| {
        let authority = CertificateSpec::authority("Lists", None);
        let list = Authority::root(test_key("stranger", 2048), authority).revocation_list(&[]);
        let text = to_base64(&list);
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        format!(
            "-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n",
            lines.join("\n")
        )
    })
}

/// What a page might take for a piece of itself.
pub(crate) const HOSTILE: &str =
    "</textarea></style><img src=x onerror=alert(1)><script>alert(1)</script>\u{202e}&lt;";

/// Markup in each place of a token that is shown; and inputs that are too large, or large for what is in them.
fn hostile_tokens() -> Vec<String> {
    let claims = json!({
        HOSTILE: HOSTILE, "iss": HOSTILE, "sub": [HOSTILE], "aud": HOSTILE, "jti": HOSTILE, "iat": HOSTILE,
        "nested": { HOSTILE: [{ HOSTILE: HOSTILE }] },
    });
    let header = json!({ "alg": HOSTILE, "typ": HOSTILE, "kid": HOSTILE, "x5c": [HOSTILE], HOSTILE: HOSTILE });
    let large = json!({ "iss": "x".repeat(300_000) }).to_string();
    vec![
        sign(&claims.to_string()),
        sign_with(&header.to_string(), &claims.to_string()),
        HOSTILE.to_owned(),
        format!("{HOSTILE}.{HOSTILE}.{HOSTILE}"),
        sign(&large),
        sign(&format!("{}{}", "[".repeat(50_000), "]".repeat(50_000))),
        "A".repeat(900_000),
        ".".repeat(900_000),
    ]
}

/// A token as it is sent, or between what nobody sees; and one that is encrypted.
fn in_other_things(token: &str) -> Vec<String> {
    let jwe = format!(
        "{}.a2V5.aXY.Y3Q.dGFn",
        to_base64url(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)
    );
    vec![
        format!("Authorization: Bearer {token}"),
        format!("grant_type=client_credentials&client_assertion={token}&scope=iSHARE"),
        json!({ "access_token": token, "expires_in": 3600 }).to_string(),
        format!("\u{a0}\u{200b}{token}\u{feff}"),
        format!("{}\r\n{}", &token[..100], &token[100..]),
        format!("id_token={jwe}"),
        jwe,
    ]
}

/// Claims that another reader would print in another way, and every character that Python's Unicode knows as a format, a
/// separator or a space.
fn told_as_they_are() -> [String; 2] {
    [
        sign(
            r#"{"b":1.50,"a":12345678901234567890123,"e":1E2,"b":"\u0041","n":{"y":1,"x":-0.0,"y":2}}"#,
        ),
        sign(&json!({ "iss": invisible() }).to_string()),
    ]
}

pub(crate) fn invisible() -> &'static str {
    const SCRIPT: &str = "import sys, unicodedata as u; sys.stdout.buffer.write(''.join(c for c in map(chr, \
                          range(0x80, 0x110000)) if u.category(c) in ('Cc', 'Cf', 'Zl', 'Zp', 'Zs')).encode())";
    static ALL: OnceLock<String> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut python = command(&python::interpreter().to_string_lossy(), ["-c", SCRIPT]);
        String::from_utf8(run(&mut python)).unwrap()
    })
}

/// The assertions of the conformance corpus.
fn conformance() -> &'static [Value] {
    static CORPUS: OnceLock<Vec<Value>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let file = cache_dir("corpus").join("page.json");
        let mut python = command(
            &python::interpreter().to_string_lossy(),
            [host_tests("python/corpus.py")],
        );
        run(python.arg(&file));
        let mut corpus: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let mut cases = corpus["cases"].as_array_mut().map(std::mem::take).unwrap();
        assert!(cases.len() > 300, "{}", cases.len());
        // Of nothing the page says nothing.
        cases.retain(|case| case["client_assertion"] != "");
        cases
    })
}

/// Each payload of the vectors of the schemes, made or broken, in a token without a chain.
fn scheme_vectors() -> Vec<String> {
    let folder = workspace().join("core/check/tests/schemes");
    let mut tokens = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let vector: Value =
            serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let made = vector["made"][0]["claims"].as_str().unwrap();
        let broken = vector["broken"].as_array().unwrap().iter().map(|broken| {
            let mut claims: Value = serde_json::from_str(made).unwrap();
            for (name, value) in broken["claims"].as_object().into_iter().flatten() {
                claims[name] = value.clone();
            }
            claims.to_string()
        });
        tokens.extend(
            iter::once(made.to_owned())
                .chain(broken)
                .map(|claims| sign(&claims)),
        );
    }
    assert!(tokens.len() > 9, "{}", tokens.len());
    tokens
}

fn sign(claims: &str) -> String {
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "key-2026" });
    sign_with(&header.to_string(), claims)
}

fn sign_with(header: &str, claims: &str) -> String {
    let input = format!(
        "{}.{}",
        to_base64url(header.as_bytes()),
        to_base64url(claims.as_bytes())
    );
    let key = test_key("seal", 2048);
    let signature = SoftwareSigner::sign_message(key.private_key(), input.as_bytes());
    format!("{input}.{}", to_base64url(&signature))
}

/// The corpus of the fuzzer.
fn corpus() -> Vec<String> {
    let files = fs::read_dir(host_tests("fuzz/seeds/token_check")).unwrap();
    let contents = files.map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let tokens: Vec<_> = contents
        .filter_map(|bytes| String::from_utf8(bytes).ok())
        .collect();
    assert!(!tokens.is_empty());
    tokens
}

/// Chains, as files: PEM, DER, PKCS #7 by openssl; good, out of order, incomplete.
pub(crate) fn chains() -> Vec<Vec<u8>> {
    let chain = ishare_chain();
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("chain.pem");
    fs::write(&pem, pem_chain(&chain)).unwrap();
    let p7b = |form: &str| {
        let mut openssl = command(
            "openssl",
            ["crl2pkcs7", "-nocrl", "-outform", form, "-certfile"],
        );
        run(openssl.arg(&pem))
    };
    let reversed: Vec<_> = chain.iter().rev().cloned().collect();
    vec![
        pem_chain(&chain).into_bytes(),
        p7b("DER"),
        p7b("PEM"),
        pem_chain(&reversed).into_bytes(),
        pem_chain(&chain[..2]).into_bytes(),
        chain[0].clone(),
        chain[3].clone(),
        pem_chain(&hostile_chain()).into_bytes(),
    ]
}

/// What most of the chains end at.
pub(crate) fn root() -> String {
    pem_chain(&ishare_chain()[3..])
}

/// Markup in the names of a leaf and of its CA. They are issued once: the page and the command see the same.
fn hostile_chain() -> Vec<Vec<u8>> {
    static CHAIN: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CHAIN.get_or_init(make_hostile_chain).clone()
}

fn make_hostile_chain() -> Vec<Vec<u8>> {
    let name = r"\</style\>\<img src=x onerror=alert(1)\>";
    let mut authority = CertificateSpec::authority("Root", None);
    authority.subject = format!("CN={name},O={name}");
    let root = Authority::root(test_key("stranger", 2048), authority);
    let mut leaf = CertificateSpec::seal();
    leaf.subject = format!("CN={name},2.5.4.97=NTRNL-12345678,O={name},C=NL");
    let leaf = root.issue(&test_key("seal", 2048).spki_der(), &leaf);
    vec![leaf, root.certificate]
}

/// Certification requests by openssl, each with the scheme that is chosen. The first two are one, in PEM and DER; the third has a
/// changed signature; then come some whose keys or algorithms are not verified with; then some for schemes.
pub(crate) fn requests() -> Vec<(Vec<u8>, &'static str)> {
    static REQUESTS: OnceLock<Vec<(Vec<u8>, &'static str)>> = OnceLock::new();
    REQUESTS.get_or_init(make_requests).clone()
}

fn make_requests() -> Vec<(Vec<u8>, &'static str)> {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    fs::write(&key, test_key("seal", 2048).pkcs8_pem()).unwrap();
    let made = |form: &str, subject: &str, words: &[&str]| {
        let request = ["req", "-new", "-subj", subject, "-outform", form];
        let mut openssl = command("openssl", request);
        if !words.contains(&"-newkey") {
            openssl.arg("-key").arg(&key);
        }
        run(openssl.args(words).current_dir(folder.path()))
    };
    let made_key = ["-noenc", "-keyout", "made.pem", "-newkey"];
    let made_by = |words: &[&str]| made("DER", "/CN=a", &[&made_key[..], words].concat());
    let (subject, usage) = (
        "/CN=Example <b>/O=Org",
        ["-addext", "keyUsage=nonRepudiation"],
    );
    let mut forged = made("DER", subject, &usage);
    *forged.last_mut().unwrap() ^= 1;
    let full = [
        "-addext",
        "keyUsage=critical,nonRepudiation,keyEncipherment",
        "-addext",
        "extendedKeyUsage=clientAuth,1.2.3.4",
        "-addext",
        "subjectAltName=DNS:a.example,email:a@a.example,URI:https://a.example/,IP:10.1.2.3,otherName:1.2.3;UTF8:x",
        "-addext",
        "certificatePolicies=0.4.0.194112.1.3",
        "-addext",
        "tlsfeature=status_request",
    ];
    let id = "/C=NL/O=Org, and/OU=Unit/organizationIdentifier=NTRNL-12345678/CN=Seal/emailAddress=a@a.example";
    let server = [
        "-addext",
        "keyUsage=keyAgreement",
        "-addext",
        "extendedKeyUsage=serverAuth",
    ];
    vec![
        (made("PEM", subject, &usage), ""),
        (made("DER", subject, &usage), ""),
        (forged, ""),
        (made_by(&["rsa:1024"]), ""),
        (made("DER", "/CN=a", &["-sha1"]), ""),
        (
            made_by(&[
                "rsa-pss",
                "-pkeyopt",
                "rsa_keygen_bits:2048",
                "-sha384",
                "-sigopt",
                "rsa_pss_saltlen:20",
            ]),
            "",
        ),
        (
            made_by(&[
                "rsa-pss",
                "-pkeyopt",
                "rsa_keygen_bits:2048",
                "-sigopt",
                "rsa_pss_saltlen:digest",
            ]),
            "",
        ),
        (
            made_by(&["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
            "",
        ),
        (made_by(&["ed25519"]), ""),
        (made("DER", id, &full), "ishare"),
        (made("DER", "/CN=a", &server), "ishare"),
        (made("DER", "/CN=a", &[]), "fiam"),
        (made("DER", "/CN=a", &["-addext", "keyUsage=DER:0401"]), ""),
        (made("DER", "/CN=a", &usage), "itsme"),
    ]
}

/// Each case of NIST's suite as the page is asked, by the root that the suite trusts.
pub(crate) fn pkits() -> Vec<Value> {
    let (suite, files) = suite();
    let pem = |label: &str, names: &[&String]| {
        let blocks = names
            .iter()
            .map(|name| pem::encode(label, &files[*name]) + "\n");
        blocks.collect::<String>()
    };
    let (root, root_list) = (
        "TrustAnchorRootCertificate.crt".to_owned(),
        "TrustAnchorRootCRL.crl".to_owned(),
    );
    let asked = |case: &Case| {
        let given: Vec<_> = iter::once(&case.leaf).chain(&case.others).collect();
        let lists: Vec<_> = case.crls.iter().chain([&root_list]).collect();
        json!({
            "input": pem("CERTIFICATE", &given), "trust": pem("CERTIFICATE", &[&root]), "lists": pem("X509 CRL", &lists),
            "now": pkits::NOW,
        })
    };
    suite.cases.iter().map(asked).collect()
}
