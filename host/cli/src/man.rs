//! `privyseal man`: man pages, for whoever packages the command.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use privyseal::Error;

use super::Cli;

/// Write the man pages into a directory
#[derive(Args)]
#[command(hide = true)]
pub(super) struct Man {
    /// The directory, which must exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<(), Error> {
        clap_mangen::generate_to(Cli::command(), &self.out).map_err(Error::Output)
    }
}
