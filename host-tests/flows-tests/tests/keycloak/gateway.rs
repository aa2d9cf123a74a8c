//! A token of Keycloak for an assertion that a gateway made: the firmware's image in QEMU holds the key, the
//! command asks it over its serial line.

use std::process::Command;

use privyseal_test_base::privyseal;
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_judges::decode::Parts;
use privyseal_test_pki::test_key;
use privyseal_test_servers::keycloak::JwksServer;
use privyseal_test_simulators::emulator::{Emulator, STM32F405};
use privyseal_test_simulators::gateway::Gateway;
use privyseal_test_suite::flow::Outcome;
use serde_json::{Value, json};

use crate::stage::Stage;

const CLIENT: &str = "nihii:hospital:12345678";

/// On one board: both sign the same, byte by byte, as other tests show.
#[test]
fn keycloak_accepts_a_gateway() {
    let realm = "gateway";
    let stage = Stage::new(realm, &json!({}));
    let emulator = Emulator::gateway(STM32F405);
    // Once it answers it is up; then the line is the command's.
    drop(Gateway::new(emulator.connect()));
    let device = format!("device:unix:{}", emulator.line().display());
    let uri = provision(&device, &stage.issuer());

    let jwks = run(&["jwks", "--key", &uri, "--kid-form", "keycloak"]).json();
    stage.register_url(CLIENT, &JwksServer::start(&jwks.to_string()), &json!({}));
    let (base_url, cacert) = (stage.keycloak.base_url(), stage.keycloak.ca_file());
    let cacert = cacert.to_string_lossy();
    let usual = ["token", "--scheme", "ehealth", "--key", &uri];
    let server = [
        "--base-url",
        &base_url,
        "--realm",
        realm,
        "--cacert",
        &cacert,
    ];
    let token = |more: &[&str]| run(&[&usual[..], &server[..], more].concat());

    let answer = token(&[]).json();
    let claims = Parts::of(answer["access_token"].as_str().unwrap()).claims();
    assert_eq!(claims["iss"], stage.issuer());
    assert_eq!(claims["azp"], CLIENT);
    // Two assertions: one for the token, one for the question about it.
    let introspection = token(&["--introspect"]).json();
    assert_eq!(introspection["active"], true);
    assert_eq!(introspection["client_id"], CLIENT);
    let log = run(&["device", "log", "--device", &uri, "--json"]).json();
    assert_eq!(signed(&log), 3, "{log}");

    // Another realm is not in its policy: the gateway refuses, and Keycloak is not asked.
    let other = [
        "--base-url",
        &base_url,
        "--realm",
        "master",
        "--cacert",
        &cacert,
    ];
    let refused = run(&[&usual[..], &other[..]].concat());
    refused.failed(1, "the audience is not in the device's policy");
    let log = run(&["device", "log", "--device", &uri, "--json"]).json();
    assert_eq!(signed(&log), 3, "{log}");
}

fn signed(log: &Value) -> usize {
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|entry| entry["event"] == "signed").count()
}

/// Gives the device a key, and the right to sign for that realm; gives the URI that the command prints.
fn provision(device: &str, issuer: &str) -> String {
    let dir = tempfile::Builder::new()
        .prefix("gateway-")
        .tempdir_in(cache_dir("tmp"))
        .unwrap();
    let write = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let key = test_key("gateway-at-keycloak", 2048);
    let key = write("key.pem", &key.pkcs8_pem());
    let policy = format!(
        "max-lifetime = 60\nmax-jump = 86400\nboard-entropy = false\n\
         [rate]\nassertions = 100\nseconds = 60\n\
         [schemes.ehealth]\nclient-id = \"{CLIENT}\"\nkid-form = \"keycloak\"\n\
         audiences = [\"{issuer}\"]\n"
    );
    let policy = write("policy.toml", &policy);
    let words = ["device", "import-key", "--device", device];
    let files = ["--policy", &policy, "--key", &key];
    let outcome = run(&[&words[..], &files[..]].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stdout.trim().to_owned()
}

/// The command, and not for ever.
fn run(words: &[&str]) -> Outcome {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "300"]);
    Outcome::of(command.arg(privyseal::path()).args(words))
}
