//! Measurements. They print numbers and judge nothing: how fast a machine is at the moment is no test.

mod agent;
mod kept;
mod pkcs11;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};
use kept::Plot;

/// What to measure, and what becomes of it.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: Bench,
    /// Keep the numbers as plots of the documents, with this machine, its load and today
    #[arg(long, global = true)]
    keep: bool,
}

/// What to measure.
#[derive(Clone, Copy, Debug, Subcommand)]
enum Bench {
    /// A token without its RSA operation, against jsonwebtoken and josekit
    Core,
    /// Signatures per second and start-up of the PKCS#11 signer on SoftHSM, against bare calls
    Pkcs11,
    /// From the start of a command to its first signature, on a token with more and more keys
    Keys,
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
        #[arg(long)]
        load: bool,
    },
    /// Instructions of RSA signatures on a Cortex-M4, by size, beside those of others
    Rsa,
}

/// Measures it.
pub(crate) fn run(options: Options) -> Result<(), Failure> {
    let plots = match options.what {
        Bench::Core => return core(),
        Bench::Agent {
            assertions: Some(count),
        } => return agent::long_run(count),
        Bench::Receiver { load: true } => return load(),
        Bench::Pkcs11 => pkcs11::run()?,
        Bench::Keys => vec![pkcs11::keys()?],
        Bench::Agent { assertions: None } => vec![agent::run()?],
        Bench::Receiver { load: false } => vec![receiver()?],
        Bench::Rsa => vec![rsa()?],
    };
    if options.keep {
        kept::keep(&plots)?;
    }
    Ok(())
}

fn receiver() -> Result<Plot, Failure> {
    setup::run(&[Need::Receiver, Need::Python, Need::Node, Need::Keycloak])?;
    let title = "Accepting a client assertion of iSHARE";
    let mut plot = Plot::new("receiver", title, "ns");
    Run::cargo("run --release --package privyseal-receiver-tests --example receiver")
        .tee(|line| plot.rows.extend(kept::time(line)))?;
    Ok(plot)
}

/// What the test of the instructions prints: the figures of others stand in it, with their date.
fn rsa() -> Result<Plot, Failure> {
    setup::run(&[Need::Thumb, Need::Emulator])?;
    let title =
        "RSA signatures on a Cortex-M4, in instructions; others with RSA-2048, on 2026-11-22";
    let mut plot = Plot::new("rsa", title, "instructions");
    Run::cargo("test --workspace --test rsa_qemu -- --nocapture")
        .tee(|line| plot.rows.extend(kept::instructions(line)))?;
    Ok(plot)
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
