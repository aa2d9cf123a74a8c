//! `privyseal device wipe`.

use std::io::{IsTerminal as _, stderr, stdin};

use clap::Args;
use privyseal::Error;

use super::Which;
use crate::output::print_line;

/// Destroy the key, the chain and the policy in the device
///
/// There is no way back. On a terminal the device's id must be typed; elsewhere --yes-destroy-the-key
/// must be given.
#[derive(Args)]
pub(super) struct Wipe {
    #[command(flatten)]
    which: Which,
    /// Do not ask
    #[arg(long)]
    yes_destroy_the_key: bool,
}

impl Wipe {
    pub(super) fn run(self) -> Result<(), Error> {
        let on_terminal = stdin().is_terminal() && stderr().is_terminal();
        if !self.yes_destroy_the_key && !on_terminal {
            return Err(Error::Missing {
                option: "--yes-destroy-the-key",
                reason: "there is no terminal to confirm it on".to_owned(),
            });
        }
        let mut device = self.which.open()?;
        let id = device.info().device_id();
        if !self.yes_destroy_the_key && !confirmed(&id)? {
            return Err(Error::Missing {
                option: "--yes-destroy-the-key",
                reason: "another text than the device's id was typed; nothing was done".to_owned(),
            });
        }
        device.wipe()?;
        print_line(format!("the key in device {id} is destroyed").as_bytes())
    }
}

fn confirmed(id: &str) -> Result<bool, Error> {
    eprintln!("this destroys the key in device {id}; type the device's id to go on:");
    let mut typed = String::new();
    stdin()
        .read_line(&mut typed)
        .map_err(|source| Error::File {
            path: "standard input".into(),
            source,
        })?;
    Ok(typed.trim() == id)
}
