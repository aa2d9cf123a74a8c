//! `privyseal ishare trusted-list`: the CAs that may issue seals.

use clap::Args;
use privyseal::Error;

use super::registry::RegistryOptions;
use crate::output::{print_json, print_line};

/// Get the trusted list, prove it, and print its CAs
#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    registry: RegistryOptions,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> Result<(), Error> {
        let opened = self.registry.open()?;
        opened.progress.step("for the trusted list");
        let list = opened.registry().trusted_list()?;
        opened.progress.finish();
        if self.json {
            print_json(&list.to_json())
        } else {
            print_line(list.to_string().as_bytes())
        }
    }
}
