//! `privyseal ishare`: what a participant registry says, proved.

mod check;
mod party;
mod registry;
mod trusted_list;

use clap::{Args, Subcommand};

use crate::error::CliError;

/// Ask an iSHARE participant registry: its trusted list, a party, or an assertion that came in
#[derive(Args)]
pub(super) struct Ishare {
    #[command(subcommand)]
    question: Question,
}

#[derive(Subcommand)]
enum Question {
    TrustedList(trusted_list::List),
    Party(party::Party),
    Check(check::Check),
}

impl Ishare {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.question {
            Question::TrustedList(list) => list.run(),
            Question::Party(party) => party.run(),
            Question::Check(check) => check.run(),
        }
    }
}
