//! `privyseal man`: man pages, for packages of the command.

use std::path::PathBuf;

use clap::Args;

use crate::error::CliError;

/// Write the man pages into a directory
#[derive(Args)]
#[command(hide = true)]
pub(super) struct Man {
    /// The directory, which must exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<(), CliError> {
        clap_mangen::generate_to(crate::documented(), &self.out).map_err(CliError::Output)
    }
}
