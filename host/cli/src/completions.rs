//! `privyseal completions`: from the parser itself, so they are never out of date.

use clap::Args;
use clap_complete::{Shell, generate};

use super::output::print_line;
use crate::error::CliError;

/// Print the completions of a shell
#[derive(Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut script = Vec::new();
        generate(
            self.shell,
            &mut crate::documented(),
            "privyseal",
            &mut script,
        );
        print_line(script.trim_ascii_end())
    }
}
