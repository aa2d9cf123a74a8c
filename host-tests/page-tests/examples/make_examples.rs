//! Makes the examples of the page: the tokens that the schemes' own documents print, signed with a throw-away key.
//!
//! `cargo run -p privyseal-page-tests --example make_examples > host/web/page/examples.json`

#![allow(clippy::print_stdout, reason = "it is its result")]

use privyseal_test_judges::decode::{to_base64, to_base64url};
use privyseal_test_pki::{CertificateSpec, TestKey, TestPki, pem_chain};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

/// 2026-06-01.
const NOW: u64 = 1_780_272_000;
const KID: &str = "key-2026";

/// What all examples share.
struct Maker {
    key: TestKey,
    x5c: Value,
    root: String,
    jwks: String,
}

/// One example before it is signed.
struct Draft {
    title: &'static str,
    about: &'static str,
    now: u64,
    scheme: &'static str,
    header: Value,
    claims: Value,
    broken: &'static [&'static str],
}

fn main() {
    let maker = Maker::new();
    let examples: Vec<_> = drafts(&maker.x5c)
        .into_iter()
        .map(|draft| maker.example(&draft))
        .collect();
    println!("{:#}", json!(examples));
}

impl Maker {
    fn new() -> Self {
        let (from, to) = (1_500_000_000, 1_900_000_000);
        let ca = |name, limit| CertificateSpec::authority(name, limit).valid(from, to);
        let pki = TestPki::with_specs(
            ca("Example Root CA", None),
            ca("Example Sub CA", Some(1)),
            ca("Example Issuing CA", Some(0)),
        );
        let key = TestKey::generate(2048);
        let chain = pki.chain(&key.spki_der(), &CertificateSpec::seal().valid(from, to));
        let x5c: Vec<_> = chain.iter().map(|der| to_base64(der)).collect();
        let n = to_base64url(key.public_key().modulus());
        let jwk = json!({ "kty": "RSA", "use": "sig", "kid": KID, "n": n, "e": "AQAB" });
        Self {
            key,
            x5c: json!(x5c),
            root: pem_chain(&[&pki.root.certificate]),
            jwks: json!({ "keys": [jwk] }).to_string(),
        }
    }

    fn example(&self, draft: &Draft) -> Value {
        let mut example = json!({
            "title": draft.title,
            "about": draft.about,
            "now": draft.now,
            "scheme": draft.scheme,
            "input": self.token(&draft.header, &draft.claims),
            "broken": draft.broken,
        });
        match draft.header.get("kid") {
            Some(_) => example["keys"] = json!(self.jwks),
            None => example["trust"] = json!(self.root),
        }
        example
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| to_base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = SoftwareSigner::sign_message(self.key.private_key(), input.as_bytes());
        format!("{input}.{}", to_base64url(&signature))
    }
}

#[allow(clippy::too_many_lines, reason = "it is data")]
fn drafts(x5c: &Value) -> Vec<Draft> {
    let sealed = json!({ "alg": "RS256", "typ": "JWT", "x5c": x5c });
    let named = json!({ "alg": "RS256", "typ": "JWT", "kid": KID });
    let quoted: Vec<_> = x5c
        .as_array()
        .into_iter()
        .flatten()
        .map(Value::to_string)
        .collect();
    let quoted = format!("[\n{}\n]", quoted.join(",\n"));
    let draft = |title, about, header: &Value, claims, broken| Draft {
        title,
        about,
        now: NOW,
        scheme: "",
        header: header.clone(),
        claims,
        broken,
    };
    let mut drafts = vec![
        draft(
            "FIAM: as it should be",
            "An assertion that obeys KPN FIAM, and the root that its receiver trusts.",
            &sealed,
            assertion("EU.EORI.NL123456789", "EU.EORI.NLKPNFIAMPROD", 30),
            &[],
        ),
        draft(
            "FIAM: the documentation's example",
            "The text says 30 seconds; the payload below it lives 5,690, and no EORI register has that id.",
            &sealed,
            json!({
                "sub": "EU.EORI.KVKxxxxxx", "iss": "EU.EORI.KVKxxxxxx", "aud": "EU.EORI.NLKPNFIAMPROD",
                "iat": 1_730_094_300, "nbf": 1_730_094_300, "exp": 1_730_099_990,
                "jti": "xxxxx-xxxxx-xxxxx"
            }),
            &["client-id", "lifetime"],
        ),
        draft(
            "iSHARE: a typing mistake in the id",
            "The id of the example call to /parties has NTRLNL where the register is called NTRNL.",
            &sealed,
            assertion(
                "did:ishare:EU.NL.NTRLNL-10000001",
                "EU.EORI.NL000000001",
                30,
            ),
            &["client-id"],
        ),
        draft(
            "iSHARE: x5c as a quoted array",
            "The answer of /parties prints the array of certificates as one string that looks like an array.",
            &json!({ "alg": "RS256", "typ": "JWT", "x5c": quoted }),
            assertion("did:ishare:EU.NL.NTRNL-10000001", "EU.EORI.NL000000001", 30),
            &["header-x5c"],
        ),
        draft(
            "itsme: the example of the token endpoint",
            "The example client_assertion has no sub, and an nbf 600 seconds before iat.",
            &named,
            json!({
                "iss": "s6BhdRkqt3", "aud": "https://idp.e2e.itsme.services/v2/token",
                "exp": 1_537_820_086, "iat": 1_537_819_486, "nbf": 1_537_818_886,
                "jti": "4LTCqACC2ESC5BWCnN3j58EnA"
            }),
            &["claim-sub", "claim-nbf"],
        ),
        draft(
            "itsme: the example of a signed request",
            "Dates as strings, one of them in ISO 8601; the login hint as an object; claims as a string that is no JSON.",
            &named,
            json!({
                "aud": "https://idp.e2e.itsme.services/v2",
                "login_hint_token": { "type": "subject_code", "value": "mqxews5ukc53ltb1jgj9qe9rnfnwwhyga18m" },
                "nbf": "2023-08-25T14:56:12.870Z", "scope": "openid service:TEST_LOGIN profile email",
                "iss": "s6BhdRkqt3", "claims": "{id_token:{name:null,gender:null}}",
                "exp": "1712757579", "iat": "1712757579", "jti": "4LTCqACC2ESC5BWCnN3j58EnA"
            }),
            &[
                "claim-iat",
                "claim-exp",
                "claim-nbf",
                "request-login-hint",
                "request-claims",
            ],
        ),
        draft(
            "eHealth: an audience with two /auth",
            "The base URL ends in /auth, and the template adds another.",
            &named,
            assertion(
                "s6BhdRkqt3",
                "https://api.ehealth.fgov.be/auth/auth/realms/M2M",
                30,
            ),
            &["claim-aud"],
        ),
    ];
    drafts[1].now = 1_730_094_300;
    drafts[2].scheme = "ishare";
    drafts[3].scheme = "ishare";
    drafts[4].now = 1_537_819_486;
    drafts[5].now = 1_712_757_579;
    drafts[6].scheme = "ehealth";
    drafts
}

fn assertion(client_id: &str, audience: &str, lifetime: u64) -> Value {
    json!({
        "iss": client_id, "sub": client_id, "aud": audience,
        "iat": NOW, "nbf": NOW, "exp": NOW + lifetime,
        "jti": "378a47c4-2822-4ca5-a49a-7e5a1cc7ea59"
    })
}
