//! Schemes that name their key by `kid`: what `sign` says under them.

use std::fs;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_test_pki::test_key;
use privyseal_test_suite::softhsm::SoftHsmToken;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::{output, printed, token};

const NOW: &str = "1795300000";

/// Header and claims of a token whose signature ring has verified.
fn opened(jws: &str) -> (Value, Value) {
    let jws = jws.trim_end_matches('\n');
    let (input, signature) = jws.rsplit_once('.').unwrap();
    let spki = test_key("seal", 2048).spki_der();
    let (_, spki) = x509_parser::prelude::FromDer::from_der(&spki)
        .map(|(rest, spki): (_, x509_parser::x509::SubjectPublicKeyInfo<'_>)| (rest, spki))
        .unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &spki.subject_public_key.data)
        .verify(input.as_bytes(), &decoded(signature))
        .expect("the signature is right");
    let (header, claims) = input.split_once('.').unwrap();
    let read = |part| serde_json::from_slice(&decoded(part)).unwrap();
    (read(header), read(claims))
}

fn decoded(part: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(part).unwrap()
}

fn signed(token: &SoftHsmToken, scheme: &str, options: &[&str]) -> (Value, Value) {
    let uri = token.uri("K");
    let usual = [
        "sign", "--scheme", scheme, "--key", &uri, "--now", NOW, "--jti", "j",
    ];
    opened(&printed(token, &[&usual, options].concat()))
}

#[test]
fn itsme_assertions_for_each_endpoint() {
    let token = token();
    for (endpoint, audience) in [
        (
            "discovery",
            "https://idp.e2e.itsme.services/v2/backchannel/authentication",
        ),
        ("backchannel", "https://idp.e2e.itsme.services/v2/token"),
        ("token", "https://idp.e2e.itsme.services/v2/token"),
    ] {
        let base = "https://idp.e2e.itsme.services/v2/";
        let options = [
            "--endpoint",
            endpoint,
            "--base-url",
            base,
            "--client-id",
            "c",
        ];
        let options = [&options[..], &["--kid", "2026-1", "--lifetime", "120"]].concat();
        let (header, claims) = signed(&token, "itsme", &options);
        assert_eq!(
            header,
            json!({"alg": "RS256", "kid": "2026-1", "typ": "JWT"})
        );
        let expected = json!({
            "aud": audience, "exp": 1_795_300_120, "iat": 1_795_300_000,
            "iss": "c", "jti": "j", "sub": "c",
        });
        assert_eq!(claims, expected, "{endpoint}");
    }
}

#[test]
fn an_itsme_request_carries_a_hint_that_the_same_key_signed() {
    let token = token();
    let (user, ping) = (token.dir().join("user"), token.dir().join("ping"));
    fs::write(&user, "uit-123\n").unwrap();
    fs::write(&ping, "bearer-456\n").unwrap();
    let (user, ping) = (user.to_string_lossy(), ping.to_string_lossy());
    let options = [
        "--endpoint",
        "request",
        "--client-id",
        "c",
        "--kid",
        "k",
        "--scope",
        "openid service:CODE",
        "--user-identifier-token-file",
        &user,
        "--client-notification-token-file",
        &ping,
        "--acr",
        "advanced",
        "--requested-expiry",
        "90",
        "--id-token-claim",
        "name",
        "--id-token-claim",
        "birthdate",
    ];
    let (header, mut claims) = signed(&token, "itsme", &options);
    assert_eq!(header["kid"], "k");
    let hint = claims
        .as_object_mut()
        .unwrap()
        .remove("login_hint_token")
        .unwrap();
    let (header, hint) = opened(hint.as_str().unwrap());
    assert_eq!(header["kid"], "k");
    assert_eq!(
        hint,
        json!({"type": "user_identifier_token", "value": "uit-123"})
    );
    let expected = json!({
        "acr_values": "http://itsme.services/v2/claim/acr_advanced",
        "aud": "https://idp.prd.itsme.services/v2",
        "claims": {"id_token": {"birthdate": null, "name": null}},
        "client_notification_token": "bearer-456",
        "exp": 1_795_300_060, "iat": 1_795_300_000, "iss": "c", "jti": "j", "nbf": 1_795_300_000,
        "requested_expiry": 90, "scope": "openid service:CODE",
    });
    assert_eq!(claims, expected);
}

#[test]
fn ehealth_has_the_realm_as_audience_and_keycloaks_kid() {
    let token = token();
    let options = [
        "--realm",
        "M2M",
        "--client-id",
        "c",
        "--kid-form",
        "keycloak",
    ];
    let (header, claims) = signed(&token, "ehealth", &options);
    assert_eq!(claims["aud"], "https://api.ehealth.fgov.be/auth/realms/M2M");
    assert_eq!(claims["exp"], 1_795_300_060_u64);
    assert!(claims.get("nbf").is_none());
    assert_eq!(header["kid"].as_str().map(str::len), Some(43));

    let uri = token.uri("K");
    let doubled = ["--base-url", "https://api.ehealth.fgov.be/auth/auth"];
    let usual = ["sign", "--scheme", "ehealth", "--key", &uri];
    let refused = output(&token, &[&usual[..], &options, &doubled].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("one /auth"));
    assert!(refused.stdout.is_empty());
}
