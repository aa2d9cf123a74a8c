//! UserInfo outside of CIBA: a signed answer is verified and judged before it counts.

use privyseal::oidc::discovery::ProviderMetadata;
use privyseal::{AccessToken, Provider};
use privyseal_test_servers::bad_server::{BadServer, Reply};
use serde_json::{Value, json};

use super::good;
use crate::stage::{BEARER, LIMIT, http};

/// What becomes of the provider's answer with these claims, its signature changed by `forge`.
fn userinfo(claims: &Value, forge: impl Fn(String) -> String) -> Result<Value, String> {
    let server = BadServer::at_home(|issuer| {
        let mut claims = claims.clone();
        if claims["iss"] == "this" {
            claims["iss"] = issuer.into();
        }
        let answer = forge(good::signed(&claims));
        let answer = Reply::of_type("200 OK", "application/jwt", &answer);
        vec![answer, good::jwks()]
    });
    let issuer = server.base_url();
    let metadata = json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"),
        "token_endpoint": format!("{issuer}/token"), "userinfo_endpoint": format!("{issuer}/u"),
    });
    let metadata = ProviderMetadata::from_bytes(&issuer, metadata.to_string().as_bytes());
    let granted = format!(r#"{{"access_token":"{BEARER}","token_type":"Bearer"}}"#);
    let token = AccessToken::from_response(granted.into_bytes().into()).unwrap();
    let http = http(server.certificate(), LIMIT);
    let answer = Provider::new(metadata.unwrap()).userinfo(&http, &token, "partner");
    let claims = answer.map(|(claims, _)| claims.into());
    claims.map_err(|error| error.to_string())
}

#[test]
fn only_of_this_issuer_for_this_client_and_signed_by_its_key() {
    let good = json!({"iss": "this", "aud": "partner", "sub": "s", "name": "J"});
    assert_eq!(userinfo(&good, |jws| jws).unwrap()["name"], "J");
    for (name, value, words) in [
        (
            "iss",
            json!("https://evil.example"),
            "iss is https://evil.example, not",
        ),
        ("aud", json!("another"), "aud does not name partner"),
        ("sub", json!(1), "sub is not 1 to 255"),
        ("exp", json!(1_700_000_000), "exp says that it expired"),
        ("nbf", json!(9_000_000_000_u64), "nbf is"),
        ("iat", json!(9_000_000_000_u64), "iat is"),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        let error = userinfo(&claims, |jws| jws).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let error = userinfo(&good, |jws| {
        let (signed, _) = jws.rsplit_once('.').unwrap();
        format!("{signed}.{}", "A".repeat(342))
    });
    assert!(error.unwrap_err().contains("a signature that is not valid"));
    let error = userinfo(&good, |_| {
        good::signed_as(Some("Logout+JWT"), "op-1", &good)
    });
    let error = error.unwrap_err();
    assert!(error.contains("typ is Logout+JWT, another kind"), "{error}");
    let error = userinfo(&good, |_| "eyJhbGciOiJub25lIn0.e30.".to_owned());
    assert!(error.unwrap_err().contains("is signed with none"));
}

/// Who publishes no keys proves by a seal who it is, here too: JSON alone is anybody's word.
#[test]
fn a_provider_that_sends_its_keys_signs_its_answer() {
    // With as many dots as an encrypted one has.
    let plain = r#"{"sub":"EU.EORI.NL000000000.s"}"#;
    let server = BadServer::start(vec![Reply::json("200 OK", plain)]);
    let issuer = server.base_url();
    let metadata = json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"),
        "token_endpoint": format!("{issuer}/token"), "userinfo_endpoint": format!("{issuer}/u"),
    });
    let metadata = ProviderMetadata::from_bytes(&issuer, metadata.to_string().as_bytes());
    let verifier = Box::new(|_, _: &str| Err("carries no seal".into()));
    let provider = Provider::with_sent_keys(metadata.unwrap(), verifier);
    let granted = format!(r#"{{"access_token":"{BEARER}","token_type":"Bearer"}}"#);
    let token = AccessToken::from_response(granted.into_bytes().into()).unwrap();
    let http = http(server.certificate(), LIMIT);
    let error = provider.userinfo(&http, &token, "partner").unwrap_err();
    let error = error.to_string();
    assert!(error.contains("is no signed or encrypted JWT"), "{error}");
}
