//! The command itself, with a key in a SoftHSM token.

use std::path::Path;
use std::process::Command;

use privyseal_test_base::privyseal;
use privyseal_test_judges::decode::Parts;
use privyseal_test_servers::keycloak::JwksServer;
use privyseal_test_suite::flow::{self, Outcome};
use serde_json::json;

use crate::stage::Stage;

/// A client whose JWK Set the command printed.
fn registered(realm: &str) -> (Stage, flow::Client) {
    let stage = Stage::new(realm, &json!({}));
    let client = flow::Client::new();
    let set = client.run(&["jwks"], &[]).json().to_string();
    stage.register_url("laboratory", &JwksServer::start(&set), &json!({}));
    (stage, client)
}

fn token(stage: &Stage, client: &flow::Client, words: &[&str], cacert: &Path) -> Outcome {
    let base_url = stage.keycloak.base_url();
    let first = ["token", "--scheme", "ehealth", "--client-id", "laboratory"];
    let server = ["--base-url", &base_url, "--realm", &stage.realm];
    client.run(
        &[&first[..], &server, words].concat(),
        &[("--cacert", cacert)],
    )
}

#[test]
fn a_token_and_what_is_asked_with_it() {
    let (stage, client) = registered("by-command");
    let cacert = stage.keycloak.ca_file();
    let run = |words: &[&str]| token(&stage, &client, words, &cacert);

    let answer = run(&[]).json();
    assert_eq!(answer["token_type"], "Bearer");
    let access = Parts::of(answer["access_token"].as_str().unwrap()).claims();
    assert_eq!(access["iss"], stage.issuer());

    let claims = run(&["--claims"]).json();
    assert_eq!(claims["azp"], "laboratory");
    let introspection = run(&["--introspect"]).json();
    assert_eq!(
        (&introspection["active"], &introspection["azp"]),
        (&json!(true), &json!("laboratory"))
    );
    let info = run(&["--userinfo", "--scope", "openid"]).json();
    assert_eq!(info["preferred_username"], "service-account-laboratory");

    run(&["--userinfo"]).failed(1, "HTTP 403");
    run(&["--jti", "once"]).json();
    run(&["--jti", "once"]).failed(1, "HTTP 400, invalid_client");
    run(&["--kid", "another"]).failed(1, "HTTP 400, invalid_client");
    run(&["--introspect", "--claims"]).failed(2, "cannot be used with");
}

/// The library's example, as it stands in its documentation.
#[test]
fn a_token_by_the_example() {
    let stage = Stage::new("by-example", &json!({}));
    let client = flow::Client::new();
    let set = client.run(&["jwks"], &[]).json();
    let set_text = set.to_string();
    stage.register_url("laboratory", &JwksServer::start(&set_text), &json!({}));
    let kid = set["keys"][0]["kid"].as_str().unwrap();
    let run = |realm: &str| {
        let mut example = Command::new(privyseal::example("ehealth"));
        example.env("SOFTHSM2_CONF", client.token.configuration());
        let root = stage.keycloak.base_url();
        example.args([
            &client.token.uri(flow::KEY),
            "laboratory",
            &root,
            realm,
            kid,
        ]);
        Outcome::of(example.arg(stage.keycloak.ca_file()))
    };
    let outcome = run(&stage.realm);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    // A second or two may have gone.
    let seconds = outcome.stdout.strip_prefix("an access token for ");
    let seconds = seconds.and_then(|rest| rest.strip_suffix(" s\n")?.parse().ok());
    assert!(
        seconds.is_some_and(|seconds: u32| (240..=300).contains(&seconds)),
        "{}",
        outcome.stdout
    );
    run("none").failed(1, "HTTP 404");
}

#[test]
fn a_wrong_realm_or_server_is_said() {
    let (stage, client) = registered("wrong-address");
    let cacert = stage.keycloak.ca_file();
    let base_url = stage.keycloak.base_url();
    let words = [
        "token",
        "--scheme",
        "ehealth",
        "--client-id",
        "laboratory",
        "--realm",
        "none",
    ];
    let words = [&words[..], &["--base-url", &base_url]].concat();
    client
        .run(&words, &[("--cacert", &cacert)])
        .failed(1, "HTTP 404");
    let words = [
        "token",
        "--scheme",
        "ishare",
        "--client-id",
        "EU.EORI.NL123456789",
        "--introspect",
    ];
    let words = [
        &words[..],
        &["--audience", "EU.EORI.NL123456789", "--base-url", &base_url],
    ]
    .concat();
    client
        .run(&words, &[("--cacert", &cacert)])
        .failed(2, "--introspect is not for iSHARE");
}
