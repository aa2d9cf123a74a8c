//! A plain client with `private_key_jwt`, and a scheme of one's own: no eHealth about it.

use privyseal_test_judges::decode::Parts;
use privyseal_test_servers::keycloak::JwksServer;
use privyseal_test_suite::flow;
use serde_json::json;

use crate::stage::Stage;

#[test]
fn a_token_under_a_scheme_of_ones_own() {
    let stage = Stage::new("own-scheme", &json!({}));
    let client = flow::Client::new();
    let set = client.run(&["jwks"], &[]).json().to_string();
    stage.register_url("warehouse", &JwksServer::start(&set), &json!({}));
    let issuer = stage.issuer();
    let text = format!(
        "[scheme.plain]\ntitle = \"Plain\"\nkey = \"kid\"\naudience = \"{issuer}\"\nlifetime = 60\n\
         [scheme.plain.token-request]\npath = \"/protocol/openid-connect/token\"\nbase-url = \"{issuer}\"\n"
    );
    let scheme = client.file("plain.toml", text);
    let cacert = stage.keycloak.ca_file();
    let files = [("--scheme", &*scheme), ("--cacert", &*cacert)];
    let token = |words: &[&str]| {
        let first = ["token", "--client-id", "warehouse"];
        client.run(&[&first[..], words].concat(), &files)
    };
    let given = token(&[]).json();
    let access_token = given["access_token"].as_str().expect("a token");
    assert_eq!(Parts::of(access_token).claims()["azp"], "warehouse");
    token(&["--jti", "of-ones-own"]).json();
    token(&["--jti", "of-ones-own"]).failed(1, "HTTP 400, invalid_client");
}
