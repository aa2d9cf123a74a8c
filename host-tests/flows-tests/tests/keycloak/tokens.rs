//! Tokens for assertions, and what can be asked about them.

use privyseal::oauth::Diagnosis;
use privyseal::{AssertionSource as _, Error, ErrorKind, base::clock};
use privyseal_test_judges::decode;
use privyseal_test_pki::{Authority, CertificateSpec, test_key};
use serde_json::json;

use crate::stage::{Stage, client, client_key, keycloak_kid};

#[test]
fn a_token_for_a_key_at_a_url_and_what_is_asked_about_it() {
    let stage = Stage::new("by-url", &json!({}));
    let client = stage.client("hospital", &json!({}));
    let token = client
        .access_token(&stage.http, &stage.base(), &stage.options())
        .unwrap();
    // Keycloak counts from when it made the token: a second may pass before it answers.
    assert!(
        matches!(token.expires_in(), Some(299..=300)),
        "as eHealth has it"
    );

    let provider = stage.provider();
    let now = clock::now().unwrap();
    let claims = provider
        .access_token_claims(&stage.http, now, token.expose())
        .unwrap();
    assert_eq!(claims.get("azp"), Some(&"hospital".into()));

    let endpoint = provider
        .metadata()
        .introspection_endpoint()
        .unwrap()
        .clone();
    let (http, options) = (&stage.http, stage.options());
    let answer = client
        .introspect(http, &endpoint, &options, token.expose())
        .unwrap();
    assert!(answer.is_active());
    assert_eq!(answer.members().get("client_id"), Some(&"hospital".into()));
    let made_up = client
        .introspect(http, &endpoint, &options, "made-up")
        .unwrap();
    assert!(!made_up.is_active());
    // One that the token is not for learns nothing about it.
    let other = stage.client("other-hospital", &json!({}));
    let answer = other
        .introspect(http, &endpoint, &options, token.expose())
        .unwrap();
    assert!(!answer.is_active());
    assert_eq!(answer.members().len(), 1);
}

#[test]
fn a_token_for_an_uploaded_certificate() {
    let stage = Stage::new("by-certificate", &json!({}));
    let key = client_key();
    let authority = Authority::root(
        test_key("keycloak-root", 2048),
        CertificateSpec::authority("R", None),
    );
    let certificate = authority.issue(&key.spki_der(), &CertificateSpec::seal());
    let attributes = json!({"jwt.credential.certificate": decode::to_base64(&certificate)});
    stage.register("pharmacy", attributes, &json!({}));
    let kid = keycloak_kid(&key);
    let good = client("pharmacy", &kid, &key);
    good.access_token(&stage.http, &stage.base(), &stage.options())
        .unwrap();
    let unknown = client("pharmacy", "another", &key);
    let error = unknown
        .access_token(&stage.http, &stage.base(), &stage.options())
        .map_err(Error::from)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[test]
fn a_jti_is_good_once() {
    let stage = Stage::new("replay", &json!({}));
    let client = stage.client("replayer", &json!({}));
    let mut options = stage.options();
    options.jti = Some("the-same-twice".to_owned());
    client
        .access_token(&stage.http, &stage.base(), &options)
        .unwrap();
    let error = client
        .access_token(&stage.http, &stage.base(), &options)
        .map_err(Error::from)
        .unwrap_err();
    let Some(refusal) = error.refusal() else {
        panic!("{error}")
    };
    assert_eq!(refusal.code(), Some("invalid_client"));
    let text = error.to_string();
    assert!(text.contains("does not accept who signs or how"), "{text}");
    assert!(text.ends_with("Token reuse detected"), "{text}");
    assert_eq!(refusal.diagnosis(), Diagnosis::InvalidClient);
}

#[test]
fn userinfo_in_json_and_signed() {
    let stage = Stage::new("userinfo", &json!({}));
    for (client_id, algorithm, signed) in [
        ("plain", json!({}), false),
        (
            "signed",
            json!({"user.info.response.signature.alg": "RS256"}),
            true,
        ),
    ] {
        let client = stage.client(client_id, &algorithm);
        let base = stage.base();
        let token = client
            .access_token_with_scope(&stage.http, &base, &stage.options(), "openid")
            .unwrap();
        let provider = stage.provider();
        let (claims, is_signed) = provider.userinfo(&stage.http, &token, client_id).unwrap();
        assert_eq!(is_signed, signed);
        let name = format!("service-account-{client_id}");
        assert_eq!(claims.get("preferred_username"), Some(&name.into()));
    }
    let client = stage.client("without-openid", &json!({}));
    let token = client
        .access_token(&stage.http, &stage.base(), &stage.options())
        .unwrap();
    let error = stage
        .provider()
        .userinfo(&stage.http, &token, "without-openid")
        .unwrap_err();
    assert!(error.to_string().contains("HTTP 403"), "{error}");
}
