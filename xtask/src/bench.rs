//! Measurements. They print numbers and judge nothing: how fast a machine is at the moment is no test.

mod agent;
mod kept;
mod pkcs11;

use clap::Subcommand;

use crate::failure::Failure;
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};

/// What to measure.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Bench {
    /// A token without its RSA operation, against jsonwebtoken and josekit
    Core,
    /// Signatures per second and start-up of the PKCS#11 signer on SoftHSM, against bare calls
    Pkcs11,
    /// Assertions of an agent over its socket, against the library in process and bare signatures
    Agent {
        /// Instead: that many assertions while token, disk, network and clock fail again and again
        #[arg(long, value_name = "COUNT")]
        assertions: Option<u64>,
    },
    /// Accepting an assertion: first sight and known party, with Redis, against one RSA verification of ring and other
    /// receivers
    Receiver {
        /// Instead, 64 connections for ten minutes, a tenth of what they send wrong
        #[arg(long, conflicts_with = "keep")]
        load: bool,
        /// Keep the numbers as a plot of the documents: of a machine that does nothing else
        #[arg(long)]
        keep: bool,
    },
}

/// Measures it.
pub(crate) fn run(bench: Bench) -> Result<(), Failure> {
    match bench {
        Bench::Core => core(),
        Bench::Pkcs11 => pkcs11::run(),
        Bench::Agent { assertions: None } => agent::run(),
        Bench::Agent {
            assertions: Some(count),
        } => agent::long_run(count),
        Bench::Receiver { load: true, .. } => load(),
        Bench::Receiver { keep, .. } => {
            setup::run(&[Need::Receiver, Need::Python, Need::Node, Need::Keycloak])?;
            let words = "run --release --package privyseal-receiver-tests --example receiver";
            let title = "Accepting a client assertion of iSHARE";
            kept::measured(Run::cargo(words), "receiver", title, keep)
        }
    }
}

/// The test of `privyseal receiver serve` under load, against the command as users have it.
fn load() -> Result<(), Failure> {
    Run::cargo("build --release --package privyseal-cli").stream()?;
    let test = "test --package privyseal-receiver-tests --test receiver sixty_four -- --nocapture";
    Run::cargo(test)
        .env("PRIVYSEAL_LOAD_SECONDS", "600")
        .env("PRIVYSEAL_LOAD_COMMAND", pkcs11::release_of("privyseal"))
        .stream()
}

/// A workspace of its own (`host-tests/bench`), so that what the core is compared with gets into no lock file of what is
/// published. It prints its own ratios.
fn core() -> Result<(), Failure> {
    let bench = Run::cargo("bench --bench token --manifest-path host-tests/bench/Cargo.toml");
    let target = paths::target().join("bench");
    bench.env("CARGO_TARGET_DIR", target).stream()
}
