//! `privyseal device generate`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use privyseal_protocol::Generation;

use super::unlock::Keeping;
use super::{Told, Which};
use crate::error::CliError;
use crate::progress::{SPINNER, bar};

/// Have an empty device make its key, which is never anywhere else
///
/// It takes some seconds for RSA-2048 and a minute or two for RSA-4096. The device goes on if this command is
/// interrupted; the same command waits for it again, and privyseal device abort ends it. Then comes privyseal device
/// csr, and with the certificate privyseal device install-chain. Prints the device's URI with the key's digest.
#[derive(Args)]
pub(crate) struct Generate {
    #[command(flatten)]
    which: Which,
    /// Bits of the modulus
    #[arg(long, default_value = "3072", value_parser = sizes())]
    bits: u16,
    /// Make the key of this machine's randomness alone, where the board has no random generator
    #[arg(long)]
    without_board_entropy: bool,
    #[command(flatten)]
    keeping: Keeping,
    #[command(flatten)]
    told: Told,
}

impl Generate {
    pub(super) fn run(self) -> Result<(), CliError> {
        let told = self.told.ready()?;
        let uri = self.which.uri()?;
        let unlock = self.keeping.read()?;
        let mut device = self.which.open()?;
        let bar = bar(SPINNER);
        let board_entropy = !self.without_board_entropy;
        let made = device.generate(
            self.bits,
            board_entropy,
            unlock.as_ref(),
            &mut |generation| {
                bar.set_message(progress_of(generation));
                bar.tick();
            },
        );
        bar.finish_and_clear();
        let uri = uri.with_key(made?).to_string();
        told.print(&mut device, "uri", &uri)
    }
}

fn progress_of(generation: Generation) -> String {
    let Generation {
        bits,
        primes,
        candidates,
        ..
    } = generation;
    format!("RSA-{bits}: {primes} of 2 primes, {candidates} candidates for the next")
}

fn sizes() -> impl TypedValueParser<Value = u16> {
    PossibleValuesParser::new(["2048", "3072", "4096"]).map(|bits| bits.parse().unwrap_or(0))
}
