//! Trouble with module, token, PIN or key: exit code 3, and no PIN try is burnt.

use std::fs;
use std::path::Path;

use privyseal_test_pki::test_key;
use privyseal_test_suite::fault_shim::FaultShim;

use crate::stage::{KEY, Outcome, Stage, TOKEN, uri_with};

/// `CKF_USER_PIN_FINAL_TRY`: one try is left, which SoftHSM never says.
const FINAL_TRY: &str = "C_GetTokenInfo * flags 0x20000";

/// `CKF_USER_PIN_LOCKED`: no try is left.
const LOCKED: &str = "C_GetTokenInfo * flags 0x40000";

/// `CKA_SIGN` of every key is false; SoftHSM's tools make no such key.
const NO_SIGN: &str = "C_GetAttributeValue * false 0x108";

/// Exit code: key, token or PIN trouble.
const KEY_TROUBLE: i32 = 3;

#[test]
fn a_wrong_pin_costs_one_try() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let wrong = stage.token.dir().join("wrong-pin");
    fs::write(&wrong, "97531").unwrap();
    let mut command = stage.command_through(&shim, &wrong);
    let outcome = Outcome::of(&mut command);
    outcome.is_refused(KEY_TROUBLE, &["PIN", "C_Login", "CKR_PIN_INCORRECT"]);
    assert!(!outcome.stderr().contains("97531"), "{}", outcome.stderr());
    assert_eq!(shim.calls("C_Login"), 1, "one try, not two");
    assert_eq!(shim.calls("C_SignInit"), 0);
    stage.sign(&[]).token();
}

#[test]
fn the_final_try_is_not_spent_unless_asked_for() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let mut command = stage.command_through(&shim, &stage.token.pin_file());
    shim.rules(&[FINAL_TRY]);
    Outcome::of(&mut command).is_refused(KEY_TROUBLE, &["one PIN try left"]);
    assert_eq!(shim.calls("C_Login"), 0);

    command.arg("--spend-final-pin-try");
    Outcome::of(&mut command).token();
    assert_eq!(shim.calls("C_Login"), 1);
}

#[test]
fn a_locked_pin_is_not_tried() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let mut command = stage.command_through(&shim, &stage.token.pin_file());
    shim.rules(&[LOCKED]);
    command.arg("--spend-final-pin-try");
    Outcome::of(&mut command).is_refused(KEY_TROUBLE, &["locked"]);
    assert_eq!(shim.calls("C_Login"), 0);
}

#[test]
fn without_a_pin_nothing_is_tried() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let mut command = stage.command_through(&shim, Path::new("/nonexistent/pin"));
    Outcome::of(&mut command).is_refused(KEY_TROUBLE, &["PIN"]);
    assert_eq!(shim.calls("C_Login"), 0);
}

#[test]
fn no_such_token_key_or_module() {
    let stage = Stage::new();
    let token = stage.uri_of(&format!("token=other;object={KEY}"));
    stage
        .sign(&[("--key", &token)])
        .is_refused(KEY_TROUBLE, &["token"]);
    let key = stage.uri_of(&format!("token={TOKEN};object=other"));
    stage
        .sign(&[("--key", &key)])
        .is_refused(KEY_TROUBLE, &["key"]);
    let id = stage.uri_of(&format!("token={TOKEN};id=%7f"));
    stage
        .sign(&[("--key", &id)])
        .is_refused(KEY_TROUBLE, &["key"]);
    let path = format!("token={TOKEN};object={KEY}");
    let pin_file = stage.token.pin_file();
    let module = uri_with(&path, Path::new("/nonexistent/module.so"), &pin_file);
    stage
        .sign(&[("--key", &module)])
        .is_refused(KEY_TROUBLE, &["/nonexistent/module.so"]);
    let no_module = uri_with(&path, Path::new("/etc/hostname"), &pin_file);
    stage
        .sign(&[("--key", &no_module)])
        .is_refused(KEY_TROUBLE, &["/etc/hostname"]);
}

/// As `step kms` writes ids; one that is meant as RFC 7512 has it goes before.
#[test]
fn an_id_in_bare_hexadecimal_digits() {
    let stage = Stage::new();
    stage.token.import_key(&stage.key, "0a31", "of step");
    for id in ["0a31", "A31"] {
        let uri = stage.uri_of(&format!("token={TOKEN};id={id}"));
        stage
            .sign(&[
                ("--key", &uri),
                ("--chain", &stage.chain_file(&stage.chain)),
            ])
            .token();
    }
    let small = test_key("small", 1024);
    stage.token.import_key(&small, "30613331", "of RFC 7512");
    let uri = stage.uri_of(&format!("token={TOKEN};id=0a31"));
    stage
        .sign(&[("--key", &uri)])
        .is_refused(KEY_TROUBLE, &["1024"]);
}

#[test]
fn a_key_that_may_not_sign() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let mut command = stage.command_through(&shim, &stage.token.pin_file());
    Outcome::of(&mut command).token();
    shim.rules(&[NO_SIGN]);
    Outcome::of(&mut command).is_refused(KEY_TROUBLE, &["CKA_SIGN"]);
    assert_eq!(shim.calls("C_SignInit"), 1, "the first run's");
}

#[test]
fn a_key_of_another_kind_or_below_2048_bits() {
    let stage = Stage::new();
    stage
        .token
        .import_key(&test_key("small", 1024), "06", "small");
    let uri = stage.token.uri("small");
    stage
        .sign(&[("--key", &uri)])
        .is_refused(KEY_TROUBLE, &["1024", "2048"]);
    stage.token.pkcs11_tool(&[
        "--keypairgen",
        "--key-type",
        "EC:prime256v1",
        "--id",
        "07",
        "--label",
        "curve",
        "--usage-sign",
    ]);
    let uri = stage.token.uri("curve");
    stage
        .sign(&[("--key", &uri)])
        .is_refused(KEY_TROUBLE, &["RSA"]);
}

#[test]
fn a_uri_that_is_none_is_wrong_usage() {
    let stage = Stage::new();
    for uri in [
        "",
        "pkcs12:token=T",
        "pkcs11:token=%zz",
        "pkcs11:no-such-attribute=1",
    ] {
        let outcome = stage.sign(&[("--key", uri)]);
        outcome.is_refused(2, &[]);
        assert!(
            outcome.stderr().starts_with("error: "),
            "{uri}: {}",
            outcome.stderr()
        );
    }
}
