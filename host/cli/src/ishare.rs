//! `privyseal ishare`: what a participant registry says, proved.

mod check;
mod party;
pub(super) mod registry;
mod trusted_list;

use clap::{Args, Subcommand};

use crate::error::CliError;

/// Ask an iSHARE participant registry: its trusted list, a party, or an assertion that came in
#[derive(Args)]
pub(super) struct Ishare {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    TrustedList(trusted_list::List),
    Party(party::Party),
    Check(check::Check),
}

impl Ishare {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            Action::TrustedList(list) => list.run(),
            Action::Party(party) => party.run(),
            Action::Check(check) => check.run(),
        }
    }
}
