//! `privyseal device renew`.

use std::path::PathBuf;

use clap::Args;
use privyseal_protocol::{DeviceState, Policy};

use super::set_time::signature;
use super::upload::{Upload, send};
use super::{Told, Which, check_authority, unlock};
use crate::error::CliError;
use crate::output::print;

/// Give a device a new certificate chain for its key, or another policy, without a wipe
///
/// The chain alone is changed with the policy file that the device has. Another policy is the authority's to allow:
///   privyseal device renew --device URI --policy FILE --chain FILE --statement > line
///   openssl dgst -sha256 -sign authority.pem -out line.sig line
///   privyseal device renew --device URI --policy FILE --chain FILE --signature line.sig
/// A cut on the way leaves the key, and the same command goes on.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Renew {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    upload: Upload,
    /// Print the line that the authority signs for this policy, with no line break at its end, and change nothing
    #[arg(long, conflicts_with_all = ["signature", "json", "label"])]
    statement: bool,
    /// The authority's signature of the line: RSASSA-PKCS1-v1_5 with SHA-256, raw bytes
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// The file with the unlock secret, 64 hexadecimal digits, where the key is kept under one; - reads standard input
    #[arg(long, value_name = "FILE|-")]
    unlock_secret: Option<PathBuf>,
    #[command(flatten)]
    told: Told,
}

impl Renew {
    pub(super) fn run(self) -> Result<(), CliError> {
        let told = self.told.ready()?;
        let uri = self.which.uri()?;
        let signature = signature(self.signature.as_deref())?;
        let secret = self.unlock_secret.as_deref().map(unlock::read);
        let secret = secret.transpose()?;
        let mut device = self.which.open()?;
        let package = self.upload.for_key_of(&mut device)?;
        if self.statement {
            check_authority(Policy::from_bytes(&device.policy()?))?;
            let line = device.info().renewal_statement(&package.fingerprint());
            return print(line.as_bytes());
        }
        // One that was cut goes on.
        if device.info().state == DeviceState::Ready {
            device.renew(&package, signature.as_deref())?;
        }
        if device.refresh()?.state == DeviceState::Locked
            && let Some(secret) = &secret
        {
            device.unlock(secret)?;
        }
        send(uri, &mut device, &package, told)
    }
}
