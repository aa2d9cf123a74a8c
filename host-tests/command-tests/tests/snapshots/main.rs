//! What every command prints and exits with, good and bad, as transcripts in `transcripts/`.
//!
//! A line that begins with `$` is a command line, `>` is standard output, `!` standard error, `=` the exit code.
//! What differs from run to run has a name in brackets. A change is looked at and accepted with
//! `INSTA_UPDATE=always cargo test -p privyseal-command-tests --test snapshots`, and is a commit of its own.

#![allow(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test stops where something is wrong, and is read more often than it is run"
)]

mod devices;
mod files;
mod help;
mod keys;
mod limits;
mod output;
mod servers;
mod transcript;
mod uris;
mod yubihsm;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use privyseal_test_pki::{CertificateSpec, TestPki, pem_chain, test_key};
use privyseal_test_suite::flow::{Client, KEY};
use privyseal_test_suite::softhsm::SoftHsmToken;

use transcript::Transcript;

/// When most of it happens: 2026-06-01.
const NOW: &str = "1780272000";

/// Certificates are valid from 2023 to 2049, so that no report depends on the day of the run.
const FROM: u64 = 1_700_000_000;
const TO: u64 = 2_500_000_000;

const EORI: &str = "EU.EORI.NL123456789";
const PARTY: &str = "did:ishare:EU.NL.NTRNL-12345678";

fn pki() -> TestPki {
    let ca = |name, limit| CertificateSpec::authority(name, limit).valid(FROM, TO);
    TestPki::with_specs(
        ca("Test Root CA", None),
        ca("Test Sub CA", Some(1)),
        ca("Test Issuing CA", Some(0)),
    )
}

fn seal() -> CertificateSpec {
    CertificateSpec::seal().valid(FROM, TO)
}

/// A token with a key and its chain.
fn client() -> Client {
    let pki = pki();
    let key = test_key("seal", 2048);
    let chain = pki.chain(&key.spki_der(), &seal());
    let token = SoftHsmToken::new("T");
    token.import_key(&key, "01", KEY);
    token.store_chain(&chain, "01");
    Client {
        token,
        pki,
        key,
        chain,
    }
}

/// A transcript in which the moments of these tests have names.
fn transcript() -> Transcript {
    let mut transcript = Transcript::new();
    for (moment, name) in [
        (NOW, "[NOW]"),
        ("2026-06-01T00:00:00Z", "[NOW]"),
        ("2023-11-14T22:13:20Z", "[FROM]"),
        ("2049-03-22T04:26:40Z", "[TO]"),
    ] {
        transcript.hide(moment, name);
    }
    transcript
}

/// A transcript of commands that see the token of `client`, and files of its folder.
fn at(client: &Client) -> Transcript {
    let mut transcript = transcript();
    transcript.environment("SOFTHSM2_CONF", client.token.configuration());
    transcript.hide(client.token.dir().display(), "[DIR]");
    transcript.hide(SoftHsmToken::module().display(), "[MODULE]");
    client.file("root.pem", pem_chain(&client.chain[3..]));
    client.file("chain.pem", pem_chain(&client.chain));
    transcript
}

/// As a secret should be, and as the command wants it.
fn only_for_me(path: &str) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A file in the folder of `client`.
fn file(client: &Client, name: &str) -> String {
    client.token.dir().join(name).display().to_string()
}
