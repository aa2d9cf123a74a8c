//! `privyseal device import-key`.

use std::path::{Path, PathBuf};

use clap::Args;
use privyseal::base::clock;
use privyseal_gateway::private_key::MAX_CONTENT;
use privyseal_gateway::{Package, PrivateKey, PrivateKeyError};

use super::unlock::{Keeping, own_file};
use super::upload::{Upload, send, unfit};
use super::{Told, Which};
use crate::error::CliError;

/// Put a key that was made elsewhere into an empty device, with its chain and a policy, and lock it
///
/// The exception: a key that privyseal device generate makes was never in a file. Everything is proved first: the
/// policy, the chain, that its leaf is for the key, that the key can serve each scheme. Nothing of it can be changed
/// later; a wipe destroys it all. Prints the device's URI with the key's digest, to paste as --key.
#[derive(Args)]
pub(crate) struct ImportKey {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    upload: Upload,
    /// The private key: RSA-2048, RSA-3072 or RSA-4096 in PKCS#8, PEM or DER, not encrypted; - reads standard input
    #[arg(long, value_name = "FILE|-")]
    key: PathBuf,
    #[command(flatten)]
    keeping: Keeping,
    #[command(flatten)]
    told: Told,
}

impl ImportKey {
    pub(super) fn run(self) -> Result<(), CliError> {
        let told = self.told.ready()?;
        let uri = self.which.uri()?;
        let unlock = self.keeping.read()?;
        let package = self.upload.package(|policy, chain| {
            if policy.needs_unlock_secret() && unlock.is_none() {
                let reason = "the policy has unlock = true";
                return Err(CliError::missing("--unlock-secret", reason));
            }
            let key = private_key(&self.key)?;
            Package::import(policy, key, chain, clock::now()?).map_err(unfit)
        })?;
        let package = match unlock {
            Some(secret) => package.kept_under(secret),
            None => package,
        };
        send(uri, &mut self.which.open()?, &package, told)
    }
}

fn private_key(path: &Path) -> Result<PrivateKey, CliError> {
    let then = ", and once it is in the device the file should be destroyed";
    let file = own_file(path, then)?;
    let of_file = CliError::of_content(file.path());
    let key = PrivateKey::from_bytes(&file.read_secret(MAX_CONTENT)?);
    key.map_err(unusable).map_err(of_file)
}

fn unusable(error: PrivateKeyError) -> String {
    let convert = match error {
        PrivateKeyError::Encrypted => "let openssl ask for its password: openssl pkcs8",
        PrivateKeyError::NotPkcs8 => "convert it: openssl pkcs8 -topk8 -nocrypt",
        PrivateKeyError::Pkcs12 => "take it out: openssl pkcs12 -nocerts -noenc",
        PrivateKeyError::OpenSsh => {
            return format!("{error}; convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY");
        }
        _ => return error.to_string(),
    };
    format!("{error}; {convert} -in FILE | privyseal device import-key --key - ..")
}
