//! The test authorization server: it accepts what is right, and every single thing that can be wrong it
//! refuses. A judge that accepts everything would make every other test worthless.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use privyseal_host_tests::decode::{to_base64, to_base64url};
use privyseal_host_tests::fiam_server::{Clock, Config, FiamServer, system_clock};
use privyseal_host_tests::https::{Client, form};
use privyseal_host_tests::pki::{
    Authority, CertificateSpec, TestKey, TestPki, Usage, spki_from_pem, test_key,
};
use privyseal_host_tests::software_signer::SoftwareSigner;
use privyseal_host_tests::suite::{Case, cases, mint};
use serde_json::{Value, json};

/// A server with a clock that the test sets, a client that trusts it, and a party with a seal.
struct Stage {
    _server: FiamServer,
    client: Client,
    clock: Arc<AtomicU64>,
    pki: TestPki,
    key: TestKey,
}

impl Stage {
    fn new() -> Self {
        let pki = TestPki::new();
        let clock = Arc::new(AtomicU64::new(system_clock()()));
        let shown = Arc::clone(&clock);
        let shown: Clock = Arc::new(move || shown.load(Ordering::SeqCst));
        let trust = pki.root.certificate.clone();
        let server = FiamServer::start(Config {
            trust,
            port: 0,
            clock: shown,
        })
        .unwrap();
        let client = Client::new(&server.base_url(), server.tls_ca_pem());
        Self {
            _server: server,
            client,
            clock,
            pki,
            key: test_key("seal", 2048),
        }
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn wait(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn header(&self) -> Value {
        header(&self.pki.seal_chain(&self.key))
    }

    fn claims(&self) -> Value {
        json!({
            "iss": "EU.EORI.NL123456789",
            "sub": "EU.EORI.NL123456789",
            "aud": "EU.EORI.NLKPNFIAMPROD",
            "iat": self.now(),
            "nbf": self.now(),
            "exp": self.now() + 30,
            "jti": "1",
        })
    }

    /// Signs any header and claims at all, without the core.
    fn forge(&self, header: &Value, claims: &Value) -> String {
        let input = format!(
            "{}.{}",
            to_base64url(header.to_string().as_bytes()),
            to_base64url(claims.to_string().as_bytes())
        );
        let signature = SoftwareSigner::sign_message(self.key.private_key(), input.as_bytes());
        format!("{input}.{}", to_base64url(&signature))
    }

    fn exchange(&self, assertion: &str) -> (u16, Value) {
        self.client.post("/oauth/token", &form(assertion))
    }

    /// The status, and that a refusal says why.
    fn refusal(&self, assertion: &str, reason: &str) -> u16 {
        let (status, body) = self.exchange(assertion);
        let text = body["error_description"].as_str().unwrap_or("");
        assert!(
            text.contains(reason),
            "wanted {reason:?}, got {status} {body}"
        );
        status
    }
}

fn header(chain: &[Vec<u8>]) -> Value {
    let x5c: Vec<String> = chain.iter().map(|der| to_base64(der)).collect();
    json!({ "alg": "RS256", "typ": "JWT", "x5c": x5c })
}

fn with(object: &Value, member: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[member] = value;
    object
}

fn without(object: &Value, member: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(member);
    object
}

#[test]
fn an_assertion_of_the_core_gives_a_token_and_the_token_gives_contracts() {
    let stage = Stage::new();
    let chain = stage.pki.seal_chain(&stage.key);
    let case = cases(stage.now())[0];
    let assertion = mint(&mut SoftwareSigner::new(&stage.key), &case, &chain).unwrap();
    let (status, body) = stage.exchange(&assertion);
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(360))
    );
    let token = body["access_token"].as_str().unwrap();

    let (status, page) = stage
        .client
        .get("/service-consumers/contracts", Some(token));
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["records"].as_array().unwrap().len(), 2);
    assert_eq!(page["records"][0]["service_consumer"], case.client_id);
    for member in ["page", "page_count", "size", "total_count"] {
        assert!(page[member].is_u64(), "{member} in {page}");
    }

    stage.wait(359);
    assert_eq!(
        stage
            .client
            .get("/service-consumers/contracts", Some(token))
            .0,
        200
    );
    stage.wait(1);
    assert_eq!(
        stage
            .client
            .get("/service-consumers/contracts", Some(token))
            .0,
        401
    );
}

#[test]
fn an_assertion_counts_once() {
    let stage = Stage::new();
    let assertion = stage.forge(&stage.header(), &stage.claims());
    assert_eq!(stage.exchange(&assertion).0, 200);
    assert_eq!(stage.refusal(&assertion, "jti"), 401);
    let again = stage.forge(&stage.header(), &with(&stage.claims(), "aud", json!("x")));
    assert_eq!(stage.refusal(&again, "aud"), 401);
    // The same jti of another party is another assertion.
    let party = json!("EU.EORI.NL987654321");
    let other = with(&with(&stage.claims(), "iss", party.clone()), "sub", party);
    assert_eq!(stage.exchange(&stage.forge(&stage.header(), &other)).0, 200);
}

#[test]
fn wrong_claims_are_refused() {
    let stage = Stage::new();
    let (header, claims, now) = (stage.header(), stage.claims(), stage.now());
    let wrong = [
        ("sub", json!("EU.EORI.NL987654321"), "sub"),
        ("iss", json!(""), "iss"),
        ("aud", json!("EU.EORI.NLKPNFIAMTEST"), "aud"),
        ("aud", json!(["EU.EORI.NLKPNFIAMPROD"]), "aud"),
        ("exp", json!(now + 31), "exp"),
        ("exp", json!(now + 29), "exp"),
        ("exp", json!((now + 30).to_string()), "exp"),
        ("iat", json!(now.to_string()), "iat"),
        ("nbf", json!(now + 1), "nbf"),
        ("nbf", json!("2026-01-01T00:00:00Z"), "nbf"),
        ("jti", json!(1), "jti"),
        ("jti", json!(""), "jti"),
    ];
    for (member, value, reason) in wrong {
        let assertion = stage.forge(&header, &with(&claims, member, value.clone()));
        assert_eq!(stage.refusal(&assertion, reason), 401, "{member} = {value}");
    }
    for member in ["iss", "sub", "aud", "iat", "exp", "jti"] {
        let assertion = stage.forge(&header, &without(&claims, member));
        assert_eq!(stage.refusal(&assertion, member), 401, "without {member}");
    }
    // Fractions are no integers, though they name the same second.
    let text = claims
        .to_string()
        .replace(&format!("\"iat\":{now}"), &format!("\"iat\":{now}.0"));
    assert_ne!(text, claims.to_string());
    let fraction: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(stage.refusal(&stage.forge(&header, &fraction), "iat"), 401);
    // nbf is not among the rules of FIAM's text.
    assert_eq!(
        stage
            .exchange(&stage.forge(&header, &without(&claims, "nbf")))
            .0,
        200
    );
}

#[test]
fn an_assertion_lives_for_thirty_seconds() {
    let stage = Stage::new();
    let (header, claims) = (stage.header(), stage.claims());
    stage.wait(29);
    let claims_2 = with(&claims, "jti", json!("2"));
    assert_eq!(stage.exchange(&stage.forge(&header, &claims_2)).0, 200);
    stage.wait(1);
    assert_eq!(
        stage.refusal(&stage.forge(&header, &claims), "expired"),
        401
    );
    let early = stage.claims();
    stage.clock.fetch_sub(1, Ordering::SeqCst);
    assert_eq!(stage.refusal(&stage.forge(&header, &early), "future"), 401);
}

#[test]
fn wrong_headers_are_refused() {
    let stage = Stage::new();
    let (header, claims) = (stage.header(), stage.claims());
    let forge = |header: &Value| stage.forge(header, &claims);
    assert_eq!(
        stage.refusal(&forge(&with(&header, "alg", json!("RS384"))), "alg"),
        401
    );
    assert_eq!(
        stage.refusal(&forge(&with(&header, "alg", json!("HS256"))), "alg"),
        401
    );
    assert_eq!(
        stage.refusal(&forge(&with(&header, "alg", json!("none"))), ""),
        400
    );
    assert_eq!(
        stage.refusal(&forge(&with(&header, "typ", json!("at+jwt"))), "typ"),
        401
    );
    assert_eq!(stage.refusal(&forge(&without(&header, "typ")), "typ"), 401);
    assert_eq!(stage.refusal(&forge(&without(&header, "x5c")), "x5c"), 400);
    let quoted = json!(header["x5c"].to_string());
    assert_eq!(
        stage.refusal(&forge(&with(&header, "x5c", quoted)), "header"),
        400
    );
    let crit = with(&with(&header, "crit", json!(["exp"])), "exp", json!(1));
    assert_eq!(stage.refusal(&forge(&crit), "crit"), 401);
    let url_safe = to_base64url(&stage.pki.root.certificate);
    assert_eq!(
        stage.refusal(&forge(&with(&header, "x5c", json!([url_safe]))), "x5c"),
        400
    );
    for malformed in ["", "a", "a.b", "a.b.c", "a.b.c.d"] {
        assert_eq!(stage.refusal(malformed, ""), 400, "{malformed:?}");
    }
}

#[test]
fn wrong_signatures_are_refused() {
    let stage = Stage::new();
    let good = stage.forge(&stage.header(), &stage.claims());
    let other = stage.forge(&stage.header(), &with(&stage.claims(), "jti", json!("2")));
    let (input, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(
        stage.refusal(&format!("{input}.{signature}"), "signature"),
        401
    );
    let stranger = header(&stage.pki.seal_chain(&test_key("stranger", 2048)));
    assert_eq!(
        stage.refusal(&stage.forge(&stranger, &stage.claims()), "signature"),
        401
    );
}

#[test]
fn wrong_chains_are_refused() {
    let stage = Stage::new();
    let (pki, spki, now) = (&stage.pki, stage.key.spki_der(), stage.now());
    let good = pki.seal_chain(&stage.key);
    let seal = CertificateSpec::seal();
    let leaf = |spec: CertificateSpec| pki.chain(&spki, &spec);
    let as_ca = CertificateSpec {
        ca: Some(true),
        ..seal.clone()
    };
    let other_root = Authority::root(
        test_key("other-root", 2048),
        CertificateSpec::authority("Test Root CA", None),
    );
    let no_ca = TestPki::with_specs(
        CertificateSpec::authority("Test Root CA", None),
        CertificateSpec {
            ca: Some(false),
            path_len: None,
            ..CertificateSpec::authority("Test Sub CA", None)
        },
        CertificateSpec::authority("Test Issuing CA", None),
    );
    let wrong: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("leaf alone", good[..1].to_vec()),
        ("without root", good[..3].to_vec()),
        (
            "without issuing CA",
            vec![good[0].clone(), good[2].clone(), good[3].clone()],
        ),
        (
            "out of order",
            vec![
                good[0].clone(),
                good[2].clone(),
                good[1].clone(),
                good[3].clone(),
            ],
        ),
        ("reversed", good.iter().rev().cloned().collect()),
        ("other root of the same name", {
            let mut chain = good.clone();
            chain[3].clone_from(&other_root.certificate);
            chain
        }),
        (
            "expired leaf",
            leaf(seal.clone().valid(now - 7200, now - 3600)),
        ),
        (
            "leaf of tomorrow",
            leaf(seal.clone().valid(now + 3600, now + 7200)),
        ),
        (
            "encipherment only",
            leaf(seal.clone().usage(&[Usage::KeyEncipherment])),
        ),
        ("CA as leaf", leaf(as_ca)),
        (
            "sub CA that is no CA",
            [&no_ca.chain(&spki, &seal)[..3], &good[3..]].concat(),
        ),
        ("not a certificate", vec![vec![0x30, 0], good[3].clone()]),
        ("empty", Vec::new()),
    ];
    for (what, chain) in wrong {
        let assertion = stage.forge(&header(&chain), &stage.claims());
        assert_eq!(
            stage.refusal(&assertion, "certificate chain"),
            401,
            "{what}"
        );
    }
    let digital_signature = leaf(seal.usage(&[Usage::DigitalSignature]));
    let assertion = stage.forge(&header(&digital_signature), &stage.claims());
    assert_eq!(stage.exchange(&assertion).0, 200);
}

#[test]
fn wrong_forms_are_refused() {
    let stage = Stage::new();
    let good = form(&stage.forge(&stage.header(), &stage.claims()));
    let post = |body: &str| stage.client.post("/oauth/token", body);
    for member in ["grant_type", "client_assertion_type", "client_assertion"] {
        let rest: Vec<&str> = good
            .split('&')
            .filter(|pair| !pair.starts_with(&format!("{member}=")))
            .collect();
        assert_eq!(post(&rest.join("&")).0, 400, "without {member}");
        assert_eq!(
            post(&format!("{good}&{member}=again")).0,
            400,
            "{member} twice"
        );
    }
    assert_eq!(post(&good.replace("client_credentials", "password")).0, 400);
    assert_eq!(post(&good.replace("jwt-bearer", "saml2-bearer")).0, 400);
    let (status, _) = stage
        .client
        .post_as("application/json", "/oauth/token", &good);
    assert_eq!(status, 400);
    assert_eq!(post(&good).0, 200);
}

#[test]
fn every_status_of_the_documentation_can_be_had() {
    let stage = Stage::new();
    for status in [403, 404, 429, 500] {
        let at_token = party(&stage, &format!("EU.EORI.NL000000{status}"));
        assert_eq!(stage.exchange(&at_token).0, status);
        let (granted, body) = stage.exchange(&party(&stage, &format!("EU.EORI.NL100000{status}")));
        assert_eq!(granted, 200, "{body}");
        let token = body["access_token"].as_str();
        assert_eq!(
            stage.client.get("/service-consumers/contracts", token).0,
            status
        );
    }
    assert_eq!(stage.exchange(&party(&stage, "EU.EORI.1")).0, 404);
    assert_eq!(stage.client.get("/nowhere", None).0, 404);
    assert_eq!(stage.client.get("/oauth/token", None).0, 405);
    assert_eq!(
        stage.client.get("/service-consumers/contracts", None).0,
        401
    );
    assert_eq!(
        stage
            .client
            .get("/service-consumers/contracts", Some("made-up"))
            .0,
        401
    );
}

fn party(stage: &Stage, party: &str) -> String {
    let claims = with(
        &with(&stage.claims(), "iss", json!(party)),
        "sub",
        json!(party),
    );
    stage.forge(&stage.header(), &claims)
}

#[test]
fn an_assertion_of_the_core_for_another_audience_is_refused() {
    let stage = Stage::new();
    let chain = stage.pki.seal_chain(&stage.key);
    let case = Case {
        audience: Some("EU.EORI.NL999999999"),
        ..cases(stage.now())[0]
    };
    let assertion = mint(&mut SoftwareSigner::new(&stage.key), &case, &chain).unwrap();
    assert_eq!(stage.refusal(&assertion, "aud"), 401);
}

#[test]
fn public_keys_come_back_from_pem() {
    let key = test_key("seal", 2048);
    assert_eq!(
        spki_from_pem(key.spki_pem().as_bytes()).unwrap(),
        key.spki_der()
    );
}
