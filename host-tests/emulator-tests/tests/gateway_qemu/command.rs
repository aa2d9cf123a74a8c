//! The whole way with the real command: provision over the line, sign for each scheme, log, wipe.

use core::fmt::Write as _;
use privyseal_core::scheme::KeyReference;
use privyseal_test_base::clock::run_start;
use std::fs;
use std::process::{Command, Output};

use privyseal_protocol::SchemeId;
use privyseal_test_base::privyseal;
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_judges::decode::Parts;
use privyseal_test_pki::pem_chain;
use privyseal_test_simulators::emulator::{AN386, Emulator, Machine, STM32F405};
use privyseal_test_simulators::gateway::Gateway;
use serde_json::Value;

use crate::signs::by_software;
use crate::stage::{KID, Party, SERVED};

#[test]
fn the_command_provisions_and_uses_an_stm32f405() {
    the_command_provisions_and_uses(STM32F405);
}

#[test]
fn the_command_provisions_and_uses_an_an386() {
    the_command_provisions_and_uses(AN386);
}

fn the_command_provisions_and_uses(machine: Machine) {
    let party = Party::new("seal");
    let mut emulator = Emulator::gateway(machine);
    // Once it answers it is up; then the line is the command's.
    drop(Gateway::new(emulator.connect()));
    let device = format!("device:unix:{}", emulator.line().display());
    assert_eq!(info(&device)["state"], "empty");

    let uri = provision(&party, &device);
    assert!(uri.starts_with(&format!("{device}?key-sha256=")), "{uri}");
    let before = info(&uri);
    assert_eq!(before["state"], "ready");
    let mut signed = 0;
    for (scheme, _, audience) in SERVED {
        signed += 1;
        sign(&party, &uri, scheme, audience, run_start() + signed);
    }
    emulator.reset();
    drop(Gateway::new(emulator.connect()));
    let after = info(&uri);
    assert_eq!(after["state"], "ready");
    assert_eq!(
        after["counter"].as_u64(),
        before["counter"].as_u64().map(|c| c + signed)
    );
    let (scheme, _, audience) = SERVED[0];
    sign(&party, &uri, scheme, audience, run_start() + signed + 1);

    let log = run(&["device", "log", "--device", &uri]);
    assert!(!log.trim().is_empty());
    run(&["device", "wipe", "--device", &uri, "--yes-destroy-the-key"]);
    assert_eq!(info(&device)["state"], "empty");
}

/// Gives the device what the party has; gives the URI that the command prints.
fn provision(party: &Party, device: &str) -> String {
    let dir = tempfile::Builder::new()
        .prefix("gateway-")
        .tempdir_in(cache_dir("tmp"))
        .expect("target/ can be written");
    let write = |name: &str, content: &str| {
        let path = dir.path().join(name);
        fs::write(&path, content).expect("target/ can be written");
        path.to_str().expect("a path of text").to_owned()
    };
    let key = write("key.pem", &party.key.pkcs8_pem());
    let chain = write("chain.pem", &pem_chain(&party.chain));
    let policy = write("policy.toml", &policy());
    let files = ["--policy", &policy, "--key", &key, "--chain", &chain];
    let words = ["device", "import-key", "--device", device];
    run(&[&words[..], &files[..]].concat()).trim().to_owned()
}

/// As `Party` has it, in the file's words.
fn policy() -> String {
    let mut text = format!(
        "max-lifetime = 300\nmax-jump = 86400\nboard-entropy = false\ntime-floor = {}\n\
         [rate]\nassertions = 1000\nseconds = 60\n",
        run_start()
    );
    for (scheme, client_id, audience) in SERVED {
        let name = scheme.rules().name();
        let _ = writeln!(
            text,
            "[schemes.{name}]\nclient-id = \"{client_id}\"\naudiences = [\"{audience}\"]"
        );
        if scheme.rules().key_reference().value() == KeyReference::Kid {
            let _ = writeln!(text, "kid = \"{KID}\"");
        }
    }
    text
}

/// One token by the command, judged, and held against the software signer's.
fn sign(party: &Party, uri: &str, scheme: SchemeId, audience: &str, now: u64) {
    let rules = scheme.rules();
    let now_text = now.to_string();
    let words = ["sign", "--scheme", rules.name(), "--key", uri];
    let fields = ["--audience", audience, "--now", &now_text];
    let token = run(&[&words[..], &fields[..]].concat());
    let token = token.trim();
    party.openssl_verifies(token);
    let claims = Parts::of(token).claims();
    let jti = claims["jti"].as_str().expect("a jti");
    assert_eq!(token, by_software(party, scheme, now, jti));
}

pub(crate) fn info(uri: &str) -> Value {
    let text = run(&["device", "info", "--device", uri, "--json"]);
    serde_json::from_str(&text).expect("JSON")
}

/// What the command prints; it must succeed.
pub(crate) fn run(words: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = ended(words);
    assert!(
        status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&stderr)
    );
    String::from_utf8(stdout).expect("text")
}

/// What the command says when it fails, as it must.
pub(crate) fn fails(words: &[&str]) -> String {
    let Output { status, stderr, .. } = ended(words);
    assert!(!status.success(), "{words:?}");
    String::from_utf8(stderr).expect("text")
}

fn ended(words: &[&str]) -> Output {
    Command::new("timeout")
        .args(["--signal=KILL", "300"])
        .arg(privyseal::path())
        .args(words)
        .output()
        .expect("the command")
}
