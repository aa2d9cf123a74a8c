//! What a good provider says.

use privyseal::base::clock;
use privyseal::jose::jwk::JwkSetBuilder;
use privyseal::jose::jwk::KidChoice;
use privyseal_test_judges::decode::to_base64url;
use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_servers::bad_server::Reply;
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

use super::play::{AUTH_REQ_ID, CLIENT_ID};
use crate::stage::BEARER;

pub(crate) const SUBJECT: &str = "6g2k9rgg";

/// The claims of that person.
pub(crate) const USERINFO: &str = r#"{"sub":"6g2k9rgg","name":"J"}"#;

/// Nobody has scanned the code.
pub(crate) fn pending() -> Reply {
    let body =
        r#"{"user_discovery_session_id":"s","status":"PENDING_USER_DISCOVERY","interval":1}"#;
    Reply::json("200 OK", body)
}

/// Somebody has.
pub(crate) fn discovered() -> Reply {
    let body = r#"{"user_discovery_session_id":"s","status":"USER_DISCOVERED","user_identifier_token":"t"}"#;
    Reply::json("200 OK", body)
}

/// Tokens, with an id_token that is signed and not encrypted.
pub(crate) fn tokens(issuer: &str) -> Reply {
    let now = clock::now().unwrap().as_secs();
    let id_token = signed(&json!({
        "iss": issuer, "aud": CLIENT_ID, "sub": SUBJECT, "iat": now, "exp": now + 300,
        "urn:openid:params:jwt:claim:auth_req_id": AUTH_REQ_ID,
    }));
    let body = json!({"access_token": BEARER, "token_type": "Bearer", "id_token": id_token});
    Reply::json("200 OK", &body.to_string())
}

/// The provider's JWK Set.
pub(crate) fn jwks() -> Reply {
    jwks_of("op-1")
}

/// The same, with the key by that name.
pub(crate) fn jwks_of(kid: &str) -> Reply {
    let mut set = JwkSetBuilder::default();
    let kid = KidChoice::Given(kid.to_owned());
    set.add(&key().public_key(), &kid, None).unwrap();
    Reply::json("200 OK", &set.to_json().to_string())
}

/// A JWS of the provider.
pub(crate) fn signed(claims: &Value) -> String {
    signed_by("op-1", claims)
}

/// The same, with the key by that name.
pub(crate) fn signed_by(kid: &str, claims: &Value) -> String {
    signed_as(None, kid, claims)
}

/// The same, of that `typ`.
pub(crate) fn signed_as(typ: Option<&str>, kid: &str, claims: &Value) -> String {
    let part = |json: &Value| to_base64url(json.to_string().as_bytes());
    let mut header = json!({"alg": "RS256", "kid": kid});
    if let Some(typ) = typ {
        header["typ"] = typ.into();
    }
    let input = format!("{}.{}", part(&header), part(claims));
    let signature = SoftwareSigner::sign_message(key().private_key(), input.as_bytes());
    format!("{input}.{}", to_base64url(&signature))
}

fn key() -> TestKey {
    test_key("provider", 2048)
}
