//! Measurements. They print numbers and judge nothing: how fast a machine is at the moment is no test.

mod core;
mod pkcs11;

use clap::Subcommand;

use crate::failure::Failure;

/// What to measure.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Bench {
    /// A token without its RSA operation, against jsonwebtoken and josekit
    Core,
    /// Signatures per second and start-up of the PKCS#11 signer on SoftHSM, against bare calls
    Pkcs11,
}

/// Measures it.
pub(crate) fn run(bench: Bench) -> Result<(), Failure> {
    match bench {
        Bench::Core => core::run(),
        Bench::Pkcs11 => pkcs11::run(),
    }
}
