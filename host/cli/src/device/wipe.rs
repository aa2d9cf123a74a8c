//! `privyseal device wipe`.

use std::io::{IsTerminal as _, stderr, stdin};

use clap::Args;
use privyseal::base::BaseError;

use super::Which;
use crate::error::CliError;
use crate::output::print_line;
use crate::output::say;

/// Destroy the key, the chain and the policy in the device
///
/// There is no way back. On a terminal the device's id must be typed; elsewhere --yes-destroy-the-key
/// must be given.
#[derive(Args)]
pub(crate) struct Wipe {
    #[command(flatten)]
    which: Which,
    /// Do not ask
    #[arg(long)]
    yes_destroy_the_key: bool,
}

impl Wipe {
    pub(super) fn run(self) -> Result<(), CliError> {
        let on_terminal = stdin().is_terminal() && stderr().is_terminal();
        if !self.yes_destroy_the_key && !on_terminal {
            return Err(CliError::missing(
                "--yes-destroy-the-key",
                "there is no terminal to confirm it on",
            ));
        }
        let mut device = self.which.open()?;
        let id = device.info().device_id();
        if !self.yes_destroy_the_key && !confirmed(&id)? {
            return Err(CliError::missing(
                "--yes-destroy-the-key",
                "another text than the device's id was typed; nothing was done",
            ));
        }
        device.wipe()?;
        print_line(format!("the key in device {id} is destroyed").as_bytes())
    }
}

fn confirmed(id: &str) -> Result<bool, CliError> {
    say!("this destroys the key in device {id}; type the device's id to go on:");
    let mut typed = String::new();
    stdin()
        .read_line(&mut typed)
        .map_err(|source| BaseError::Read {
            path: "standard input".into(),
            source,
        })?;
    Ok(typed.trim() == id)
}
