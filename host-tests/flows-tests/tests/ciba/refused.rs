//! Flows that end otherwise: what is said, and with which exit code.

use std::fs;

use privyseal_test_base::privyseal;
use privyseal_test_base::tool::command;
use serde_json::{Value, json};

use crate::stage::{CLIENT_ID, Stage, ended};

fn approving(more: &Value) -> Value {
    let mut scenario = json!({"scannedAfter": 1, "polls": [], "decision": "approve"});
    for (name, value) in more.as_object().unwrap() {
        scenario[name] = value.clone();
    }
    scenario
}

#[test]
fn the_person_says_no() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    stage
        .provider
        .script(&json!({"scannedAfter": 1, "polls": [], "decision": "deny"}));
    let words = "access_denied: the person, or the server, said no";
    stage.ciba(&[]).refused(1, words);
}

/// By the server's clock, and by our own where the server says nothing.
#[test]
fn the_time_is_over() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    stage.provider.script(&json!({
        "scannedAfter": 1, "polls": ["authorization_pending"], "decision": "ignore",
        "lifetime": 1, "saysExpiresIn": 30,
    }));
    stage
        .ciba(&[])
        .refused(1, "expired_token: the person did not confirm in time");

    stage.provider.script(&json!({
        "scannedAfter": 1, "polls": [], "decision": "ignore", "lifetime": 60, "saysExpiresIn": 3,
    }));
    let ended = stage.ciba(&[]);
    ended.refused(1, "waiting for the person to confirm: the time is over");
}

#[test]
fn a_user_identifier_token_that_is_not_known() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    let file = stage.provider.dir().join("user");
    fs::write(&file, "nobody\n").unwrap();
    stage.provider.script(&approving(&json!({})));
    let path = file.to_string_lossy();
    let ended = stage.ciba(&["--user-identifier-token-file", &path]);
    ended.refused(1, "unknown_user_id");
    assert!(
        stage.provider.events_of("session").is_empty(),
        "no discovery"
    );
}

#[test]
fn what_was_encrypted_to_another_key() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    stage.softhsm().generate_decryption_key(2048, "03", "other");
    stage.provider.script(&approving(&json!({})));
    let refused = |key, code, words| stage.ciba_with_key(key, &[]).refused(code, words);
    refused("other", 1, "the id_token cannot be decrypted");
    refused("", 1, "the id_token is encrypted; give the key");
}

#[test]
fn what_the_token_cannot_decrypt() {
    let stage = Stage::polling("RSA-OAEP-256", "A256GCM");
    stage.provider.script(&approving(&json!({})));
    let asked = || stage.provider.events().len();
    // Found before anybody is asked anything, where it is said what was registered.
    stage
        .ciba(&["--encryption-alg", "RSA-OAEP-256"])
        .refused(3, "does not decrypt RSA-OAEP-256");
    assert_eq!(asked(), 0);
    let late = stage.ciba(&[]);
    late.refused(3, "does not decrypt RSA-OAEP-256");
    let warning =
        "warning: the decryption key cannot be used with RSA-OAEP-256, which the provider may use";
    assert!(late.stderr.contains(warning), "{}", late.stderr);
    assert!(asked() > 0);
    // The provider encrypts in another way than was registered.
    let words = "it is encrypted with RSA-OAEP-256, although RSA-OAEP was registered";
    stage
        .ciba(&["--encryption-alg", "RSA-OAEP"])
        .refused(1, words);
}

#[test]
fn what_should_have_been_encrypted() {
    let stage = Stage::unencrypted();
    stage.provider.script(&approving(&json!({})));
    stage.ciba(&[]).refused(1, "the id_token is not encrypted");
}

/// Nobody would see the code, so not even a PIN is used.
#[test]
fn a_code_that_nobody_could_see() {
    let program = privyseal::path();
    let arguments = [
        "ciba",
        "--key",
        "pkcs11:token=none",
        "--client-id",
        CLIENT_ID,
    ];
    let ended =
        ended(command(&program.to_string_lossy(), arguments).args(["--service", "TEST_LOGIN"]));
    ended.refused(2, "--qr is needed");
}

/// `token` names the command that does it.
#[test]
fn token_points_to_ciba() {
    let program = privyseal::path();
    let arguments = ["token", "--scheme", "itsme", "--key", "pkcs11:token=none"];
    let ended =
        ended(command(&program.to_string_lossy(), arguments).args(["--client-id", CLIENT_ID]));
    ended.refused(2, "privyseal ciba");
}
