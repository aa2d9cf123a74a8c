//! Keys that change, on either side.

use privyseal::{AssertionSource as _, Error, base::clock};
use privyseal_test_pki::test_key;
use privyseal_test_servers::keycloak::JwksServer;
use serde_json::json;

use crate::stage::{Stage, client, client_key, jwk_set};

/// Publish a new `kid`, switch, remove the old one.
#[test]
fn our_key_is_changed_under_a_new_kid() {
    let stage = Stage::new("our-keys", &json!({}));
    let (old, new) = (client_key(), test_key("keycloak-client-2", 2048));
    let jwks = JwksServer::start(&jwk_set(&[("2026-1", &old)]));
    stage.register_url("rotated", &jwks, &json!({}));
    let (by_old, by_new) = (
        client("rotated", "2026-1", &old),
        client("rotated", "2026-2", &new),
    );
    let (http, base, options) = (&stage.http, stage.base(), stage.options());
    by_old.access_token(http, &base, &options).unwrap();
    assert_eq!(jwks.asked(), 1);

    jwks.publish(&jwk_set(&[("2026-1", &old), ("2026-2", &new)]));
    forget_keys(&stage);
    by_new.access_token(http, &base, &options).unwrap();
    by_old.access_token(http, &base, &options).unwrap();
    assert_eq!(jwks.asked(), 2, "Keycloak keeps the keys that it has read");

    jwks.publish(&jwk_set(&[("2026-2", &new)]));
    forget_keys(&stage);
    by_new.access_token(http, &base, &options).unwrap();
    let error = by_old.access_token(http, &base, &options).unwrap_err();
    let error = Error::from(error);
    assert!(
        error
            .refusal()
            .is_some_and(|refusal| refusal.code() == Some("invalid_client")),
        "{error}"
    );
}

/// What an hour would do: Keycloak reads a client's keys again at most every 10 s.
fn forget_keys(stage: &Stage) {
    let path = format!("/{}/clear-keys-cache", stage.realm);
    stage.keycloak.admin("POST", &path, &json!({}));
}

/// A new key of higher priority signs from now on; the old one is passive, then gone.
#[test]
fn a_new_key_of_the_realm_is_found_by_our_cache() {
    let stage = Stage::new("realm-keys", &json!({}));
    let client = stage.client("watcher", &json!({}));
    let (http, base, options) = (&stage.http, stage.base(), stage.options());
    let provider = stage.provider();
    let before = client.access_token(http, &base, &options).unwrap();
    let now = clock::now().unwrap();
    provider
        .access_token_claims(http, now, before.expose())
        .unwrap();

    let realm = stage
        .keycloak
        .admin("GET", &format!("/{}", stage.realm), &json!(null));
    let component = json!({
        "name": "a-newer-key",
        "providerId": "rsa-generated",
        "providerType": "org.keycloak.keys.KeyProvider",
        "parentId": realm["id"],
        "config": {"priority": ["200"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"]},
    });
    stage
        .keycloak
        .admin("POST", &format!("/{}/components", stage.realm), &component);
    let after = client.access_token(http, &base, &options).unwrap();
    assert_ne!(
        kid(before.expose()),
        kid(after.expose()),
        "the realm signs with the new key"
    );

    // Within a minute of the last reading it is not read again, whatever comes.
    let error = provider
        .access_token_claims(http, now.saturating_add(59), after.expose())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("not in the provider's key set, read 59 s ago"),
        "{error}"
    );
    let later = now.saturating_add(60);
    provider
        .access_token_claims(http, later, after.expose())
        .unwrap();
    provider
        .access_token_claims(http, later, before.expose())
        .unwrap();
}

fn kid(token: &str) -> String {
    let header = privyseal_test_judges::decode::Parts::of(token).header();
    header["kid"].as_str().unwrap().to_owned()
}
