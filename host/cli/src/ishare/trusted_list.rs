//! `privyseal ishare trusted-list`: the CAs that may issue seals.

use clap::Args;

use super::registry::RegistryOptions;
use crate::error::CliError;
use crate::output::print_report;

/// Get the trusted list, prove it, and print its CAs
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    registry: RegistryOptions,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> Result<(), CliError> {
        let opened = self.registry.open()?;
        opened.progress.step("for the trusted list");
        let list = opened.registry().trusted_list()?;
        opened.progress.finish();
        print_report(&list, self.json.then(|| serde_json::json!(list)))
    }
}
