//! `privyseal device unlock`, and the unlock secret of other commands.

use std::path::{Path, PathBuf};

use clap::Args;
use privyseal::base::file::InputFile;
use privyseal_gateway::UnlockSecret;

use super::Which;
use crate::error::CliError;
use crate::output::{print_line, say};

/// The longest file of an unlock secret: its digits and a line break.
const MAX_FILE: usize = 66;

/// Give a locked device its unlock secret, which it needs at each start
///
/// Wrong secrets are in the device's log, five of them at once and then one in two minutes. As a service, run it with a
/// credential of systemd, which may be sealed by the machine's TPM: docs/gateway.md.
#[derive(Args)]
pub(crate) struct Unlock {
    #[command(flatten)]
    which: Which,
    /// The file with the secret, 64 hexadecimal digits; - reads standard input
    #[arg(long, value_name = "FILE|-")]
    unlock_secret: PathBuf,
}

impl Unlock {
    pub(super) fn run(self) -> Result<(), CliError> {
        let secret = read(&self.unlock_secret)?;
        let mut device = self.which.open()?;
        print_line(if device.unlock(&secret)? {
            &b"unlocked"[..]
        } else {
            b"it is not locked"
        })
    }
}

/// Under which secret a key is kept.
#[derive(Args)]
pub(super) struct Keeping {
    /// Keep the key under the secret in this file, 64 hexadecimal digits (openssl rand -hex 32): the device then needs
    /// it at each start (privyseal device unlock), and its flash alone is worth nothing; - reads standard input
    #[arg(long, value_name = "FILE|-")]
    unlock_secret: Option<PathBuf>,
}

impl Keeping {
    pub(super) fn read(&self) -> Result<Option<UnlockSecret>, CliError> {
        self.unlock_secret.as_deref().map(read).transpose()
    }
}

/// Opens a file that is for one user; `then` is what else is said where others can read it.
pub(super) fn own_file(path: &Path, then: &str) -> Result<InputFile, CliError> {
    let file = InputFile::open_or_stdin(path)?;
    if file.is_readable_by_all() {
        let name = file.path().display();
        say!(
            "warning: {name} can be read by every user of this machine; chmod 600 fixes that{then}"
        );
    }
    Ok(file)
}

pub(super) fn read(path: &Path) -> Result<UnlockSecret, CliError> {
    let file = own_file(path, "")?;
    let unusable = CliError::of_content(file.path());
    UnlockSecret::from_hex(&file.read_secret(MAX_FILE)?).map_err(unusable)
}
