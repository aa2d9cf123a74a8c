//! The PKCS#11 signer against what the same token can do without us, in one run.
//!
//! Two questions. How many whole tokens a second does a running program make, against a bare loop of
//! `C_SignInit` and `C_Sign`? And how long does the command take from its start to its first signature,
//! against `pkcs11-tool`, which makes a bare signature?

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::setup::{self, Need};
use crate::{demo, paths};

/// Starts of each command.
const STARTS: usize = 15;

/// Builds, makes a token, measures, prints.
pub(super) fn run() -> Result<(), Failure> {
    setup::run(&[Need::Token])?;
    let release = Run::cargo(
        "build --release --package privyseal-cli --package privyseal-pkcs11-tests --package privyseal-fault-shim",
    );
    release
        .words("--lib --bin privyseal --example throughput")
        .stream()?;
    let token = Token::new("bench-pkcs11")?;

    println!("\n==> signatures per second, SoftHSM, RSA-2048; bare and whole take turns");
    let throughput = token.tool(release_of("examples/throughput"));
    throughput.arg(&token.key_uri).stream()?;

    println!("\n==> the same behind a module that takes 5 ms for each call, as a network HSM does");
    network_hsm(&token)?;

    println!("\n==> what a verification takes OpenSSL: the part that no whole token can leave out");
    Run::new("openssl")
        .words("speed -seconds 1 rsa2048")
        .stream()?;

    println!(
        "\n==> from the start of a command to its first signature, {STARTS} starts each, in turns"
    );
    starts(&token)
}

/// Sixteen sessions behind the fault shim.
fn network_hsm(token: &Token) -> Result<(), Failure> {
    let rules = token.folder.join("shim-rules");
    let slow = ["C_SignInit * hang 5", "C_Sign * hang 5"].join("\n");
    fs::write(&rules, slow).context(paths::shown(&rules))?;
    let module = paths::softhsm_module()?;
    let shim = release_of(&format!("{DLL_PREFIX}fault_shim{DLL_SUFFIX}"));
    let (path, shim_path) = (module.display().to_string(), shim.display().to_string());
    let throughput = token
        .tool(release_of("examples/throughput"))
        .env("FAULT_SHIM_MODULE", &module)
        .env("FAULT_SHIM_CONTROL", &rules)
        .arg(token.key_uri.replace(&path, &shim_path))
        .words("1 16");
    throughput.stream()
}

/// A throw-away token with a key and its chain.
pub(super) struct Token {
    pub(super) folder: PathBuf,
    pub(super) key_uri: String,
    pin: String,
}

impl Token {
    pub(super) fn new(name: &str) -> Result<Self, Failure> {
        let folder = paths::target().join(name);
        demo::make_token(&folder)?;
        let read = |name| fs::read_to_string(folder.join(name)).context(name);
        let (key_uri, pin) = (read("key-uri")?, read("pin")?.trim().to_owned());
        let text = folder.join("to-be-signed");
        fs::write(&text, "whatever a person signs").context(paths::shown(&text))?;
        Ok(Self {
            folder,
            key_uri,
            pin,
        })
    }

    /// A program that sees this token and no other.
    pub(super) fn tool(&self, program: impl AsRef<OsStr>) -> Run {
        Run::new(program).env("SOFTHSM2_CONF", self.folder.join("softhsm2.conf"))
    }
}

pub(super) fn release_of(name: &str) -> PathBuf {
    paths::target().join("release").join(name)
}

/// Starts both commands in turns; prints the medians.
fn starts(token: &Token) -> Result<(), Failure> {
    let ours = token
        .tool(release_of("privyseal"))
        .words("sign --scheme fiam --chain token");
    let mut ours = ours
        .words("--client-id EU.EORI.NL123456789 --key")
        .arg(&token.key_uri);
    let theirs = token.tool("pkcs11-tool").env("PIN", &token.pin);
    let theirs = theirs.arg("--module").arg(paths::softhsm_module()?);
    let mut theirs = theirs
        .words("--token-label privyseal-demo --login --pin env:PIN --sign")
        .words("--mechanism SHA256-RSA-PKCS --id 01 --input-file")
        .arg(token.folder.join("to-be-signed"))
        .arg("--output-file")
        .arg(token.folder.join("signature"));
    let (mut own_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        own_times.push(ours.time()?);
        their_times.push(theirs.time()?);
    }
    println!("{:<20} {}", "privyseal sign", summary(own_times));
    println!("{:<20} {}", "pkcs11-tool --sign", summary(their_times));
    Ok(())
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let millis = |place: usize| {
        let time = times.get(place).copied().unwrap_or_default();
        format!("{:.1} ms", time.as_secs_f64() * 1000.0)
    };
    let (median, last) = (times.len() / 2, times.len().saturating_sub(1));
    format!(
        "median {}, fastest {}, slowest {}",
        millis(median),
        millis(0),
        millis(last)
    )
}
