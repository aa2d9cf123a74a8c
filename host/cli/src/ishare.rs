//! `privyseal ishare`: what a participant registry says, proved.

mod check;
mod party;
pub(super) mod registry;
mod trusted_list;

use clap::Subcommand;

use crate::error::CliError;

/// Ask an iSHARE participant registry: its trusted list, a party, or an assertion that came in
#[derive(Subcommand)]
pub(super) enum Ishare {
    TrustedList(trusted_list::List),
    Party(party::Party),
    Check(check::Check),
}

crate::runs! { Ishare: TrustedList Party Check }
