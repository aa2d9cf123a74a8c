//! `privyseal device install-chain`.

use clap::Args;

use super::upload::{Upload, send};
use super::{Told, Which};
use crate::error::CliError;

/// Give a device that has made its key a policy and the certificate chain, and lock it
///
/// Everything is proved first, here and on the device: the policy, the chain, that its leaf is for the key, that the
/// key can serve each scheme. What does not fit leaves the key as it is. Nothing of it can be changed later; a wipe
/// destroys it all, the key included. Prints the device's URI with the key's digest, to paste as --key.
#[derive(Args)]
pub(crate) struct InstallChain {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    upload: Upload,
    #[command(flatten)]
    told: Told,
}

impl InstallChain {
    pub(super) fn run(self) -> Result<(), CliError> {
        let told = self.told.ready()?;
        let uri = self.which.uri()?;
        let mut device = self.which.open()?;
        let package = self.upload.for_key_of(&mut device)?;
        send(uri, &mut device, &package, told)
    }
}
