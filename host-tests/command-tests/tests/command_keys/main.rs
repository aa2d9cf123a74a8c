//! `privyseal jwks`, `csr`, `chain` and `sign` with a `kid`, end to end, judged by OpenSSL and by parsers
//! that share no code with the core.
#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "a test that cannot go on fails"
)]

mod chain;
mod completions;
mod kid;
mod policy;
mod processes;
mod public;
mod scan;
mod set_up;

use std::process::{Command, Output};

use privyseal_test_base::{privyseal, tool};
use privyseal_test_pki::{TestPki, test_key};
use privyseal_test_suite::softhsm::SoftHsmToken;

/// A token with a key, `K`, and its chain.
fn token() -> SoftHsmToken {
    let key = test_key("seal", 2048);
    let token = SoftHsmToken::new("T");
    token.import_key(&key, "01", "K");
    token.store_chain(&TestPki::new().seal_chain(&key), "01");
    token
}

/// Runs the command, which sees `token`.
fn output(token: &SoftHsmToken, arguments: &[&str]) -> Output {
    let mut command = Command::new(privyseal::path());
    command.args(arguments).env_remove("PRIVYSEAL_PIN");
    command.env("SOFTHSM2_CONF", token.configuration());
    tool::output(&mut command, b"")
}

/// What the command prints; it must succeed and be silent otherwise.
fn printed(token: &SoftHsmToken, arguments: &[&str]) -> String {
    let output = output(token, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.is_empty(),
        "{arguments:?}: {said}"
    );
    String::from_utf8(output.stdout).unwrap()
}
