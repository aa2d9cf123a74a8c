//! Measurements. They print numbers and judge nothing: how fast a machine is at the moment is no test.

mod agent;
mod pkcs11;

use clap::Subcommand;

use crate::failure::Failure;
use crate::paths;
use crate::process::Run;

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
    /// Accepting an assertion: first sight and known party, against one RSA verification of ring
    Receiver,
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
        Bench::Receiver => {
            Run::cargo("run --release --package privyseal-receiver-tests --example receiver")
                .stream()
        }
    }
}

/// A workspace of its own (`host-tests/bench`), so that what the core is compared with gets into no lock file of what is
/// published. It prints its own ratios.
fn core() -> Result<(), Failure> {
    let bench = Run::cargo("bench --bench token --manifest-path host-tests/bench/Cargo.toml");
    let target = paths::target().join("bench");
    bench.env("CARGO_TARGET_DIR", target).stream()
}
