//! The rules on time and `jti`, as Keycloak has them, and that `check` foretells them: each assertion is
//! judged by the receiver view of `check` and then by the receiver itself.

use privyseal::jose::jwk::KeySet;
use privyseal::report::{TokenCheckOptions, TokenReport};
use privyseal::{UnixTime, base::clock};
use privyseal_check::RuleId;
use privyseal_core::Audience;
use privyseal_core::scheme::EHEALTH;
use privyseal_test_judges::decode::to_base64url;
use privyseal_test_pki::TestKey;
use privyseal_test_servers::keycloak::JwksServer;
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

use crate::stage::{Stage, client_key, jwk_set};

const KID: &str = "2026-1";

/// What is changed in a good assertion, and whether Keycloak takes it. Times are seconds from now.
fn cases() -> Vec<(&'static str, Value, bool)> {
    vec![
        ("as we make them", json!({"iat": 0, "exp": 60}), true),
        ("without iat", json!({"exp": 50}), true),
        ("iat 10 s ahead", json!({"iat": 10, "exp": 60}), true),
        ("iat 20 s ahead", json!({"iat": 20, "exp": 60}), false),
        (
            "nbf 10 s ahead",
            json!({"iat": 0, "nbf": 10, "exp": 60}),
            true,
        ),
        (
            "nbf 20 s ahead",
            json!({"iat": 0, "nbf": 20, "exp": 60}),
            false,
        ),
        ("just expired", json!({"iat": -31, "exp": -1}), false),
        (
            "expired a minute ago",
            json!({"iat": -120, "exp": -60}),
            false,
        ),
        ("longer than a minute", json!({"iat": 0, "exp": 300}), true),
        (
            "longer than a minute, without iat",
            json!({"exp": 300}),
            false,
        ),
        ("older than a minute", json!({"iat": -70, "exp": 60}), false),
        ("without exp", json!({"iat": 0, "exp": null}), false),
        (
            "without jti",
            json!({"iat": 0, "exp": 60, "jti": null}),
            false,
        ),
        (
            "two audiences",
            json!({"iat": 0, "exp": 60, "aud": ["ISSUER", "https://other.example"]}),
            false,
        ),
        (
            "another audience",
            json!({"iat": 0, "exp": 60, "aud": "https://other.example"}),
            false,
        ),
        (
            "an unknown kid",
            json!({"iat": 0, "exp": 60, "kid": "unknown"}),
            false,
        ),
    ]
}

#[test]
fn time_jti_and_audience_are_judged_as_check_foretells() {
    let stage = Stage::new("clocks", &json!({}));
    let key = client_key();
    let jwks = jwk_set(&[(KID, &key)]);
    let server = JwksServer::start(&jwks);
    stage.register_url("clocked", &server, &json!({}));
    let keys = KeySet::from_bytes(jwks.as_bytes()).unwrap();
    let mut wrong = Vec::new();
    for (number, (name, changes, accepted)) in cases().into_iter().enumerate() {
        // An answer that came late says nothing about a time that is only some seconds off.
        let (foretold, status, answer) = (0..10)
            .find_map(|attempt| {
                let now = clock::now().unwrap();
                let jti = format!("case-{number}-{attempt}");
                let token = assertion(&stage, &key, now.as_secs(), &jti, &changes);
                let foretold = foretold(&stage, &keys, now, &token);
                let (status, answer) = ask(&stage, &token);
                let took = clock::now().unwrap().as_secs() - now.as_secs();
                (took <= 3).then_some((foretold, status, answer))
            })
            .expect("one answer of ten within 3 s");
        if (status == 200) != accepted || foretold != accepted {
            wrong.push(format!(
                "{name}: check says {foretold}, Keycloak {status} {}",
                answer["error_description"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the receiver view of `check` has Keycloak accept it.
fn foretold(stage: &Stage, keys: &KeySet, now: UnixTime, token: &str) -> bool {
    let issuer = stage.issuer();
    let mut options = TokenCheckOptions::at(now);
    options.scheme = Some(&EHEALTH);
    options.audience = Some(Audience::new(&issuer).unwrap());
    options.keys = Some(keys);
    let report = TokenReport::new(token, options).report;
    let mut opinions = report.opinions().iter();
    let opinion = opinions.find(|opinion| opinion.receiver.name == "Keycloak");
    // The audience the receiver view leaves to the rules of the scheme.
    let for_another = report
        .broken()
        .any(|finding| finding.rule == RuleId::ClaimAud);
    !opinion.expect("Keycloak's view").refuses() && !for_another
}

/// Signed by hand: the library would not make most of these.
fn assertion(stage: &Stage, key: &TestKey, now: u64, jti: &str, changes: &Value) -> String {
    let issuer = stage.issuer();
    let mut claims = json!({
        "iss": "clocked", "sub": "clocked", "aud": issuer, "jti": jti,
    });
    let mut kid = json!(KID);
    for (name, value) in changes.as_object().unwrap() {
        let value = match value.as_i64() {
            Some(seconds) => json!(now.saturating_add_signed(seconds)),
            None => value.clone(),
        };
        match name.as_str() {
            "kid" => kid = value,
            _ => claims[name] = value,
        }
    }
    if let Some(list) = claims["aud"].as_array_mut() {
        list[0] = json!(issuer);
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let header = json!({"alg": "RS256", "kid": kid, "typ": "JWT"});
    let part = |value: &Value| to_base64url(value.to_string().as_bytes());
    let input = format!("{}.{}", part(&header), part(&claims));
    let signature = SoftwareSigner::sign_message(key.private_key(), input.as_bytes());
    format!("{input}.{}", to_base64url(&signature))
}

fn ask(stage: &Stage, assertion: &str) -> (u16, Value) {
    let form = privyseal_test_servers::https::form(assertion);
    let path = format!("/realms/{}/protocol/openid-connect/token", stage.realm);
    stage.keycloak.client().post(&path, &form)
}
