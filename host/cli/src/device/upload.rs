//! What goes into a device besides a key, and how it gets there.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use privyseal::base::file::{self, InputFile};
use privyseal::base::{BaseError, clock};
use privyseal::pki::certificates::Certificates;
use privyseal_core::cert::Chain;
use privyseal_gateway::{
    Device as Gateway, DeviceUri, GatewayPolicy, Package, PackageError, Progress,
};

use super::Ready;
use crate::error::CliError;
use crate::progress::bar;

/// The largest policy that is read, and the largest file that it names, in bytes.
const MAX_POLICY_FILE: usize = 64 * 1024;

/// Policy and chain.
#[derive(Args)]
pub(super) struct Upload {
    /// What the device may sign: a TOML file (docs/gateway-policy.toml is an example)
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The certificate chain, PEM or DER, root included; for schemes that send it
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
}

impl Upload {
    /// Reads both and makes the package of them.
    pub(super) fn package(
        &self,
        make: impl FnOnce(&GatewayPolicy, Option<&Chain<'_>>) -> Result<Package, CliError>,
    ) -> Result<Package, CliError> {
        let policy = read_policy(&self.policy)?;
        let certificates = self.chain.as_deref().map(Certificates::from_file);
        let certificates = certificates.transpose()?;
        let chain = certificates.as_ref().map(Certificates::chain).transpose()?;
        make(&policy, chain.as_ref())
    }

    /// The package for the key that a device has. An upload that was begun is given up.
    pub(super) fn for_key_of(&self, device: &mut Gateway) -> Result<Package, CliError> {
        device.abort_upload()?;
        let key = device.public_key()?;
        self.package(|policy, chain| {
            Package::install(policy, &key, chain, clock::now()?).map_err(unfit)
        })
    }
}

/// Sends it, and prints the device's URI with the key's digest.
pub(super) fn send(
    uri: DeviceUri,
    device: &mut Gateway,
    package: &Package,
    told: Ready,
) -> Result<(), CliError> {
    let bar = bar("{msg:18} [{bar:30}] {bytes} of {total_bytes}");
    let provisioned = device.provision(package, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    let uri = uri.with_key(provisioned?).to_string();
    told.print(device, "uri", &uri)
}

fn read_policy(path: &Path) -> Result<GatewayPolicy, CliError> {
    let text = InputFile::open(path)?.read_text(MAX_POLICY_FILE)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let named = |name: &str| file::read(&directory.join(name), MAX_POLICY_FILE);
    GatewayPolicy::from_toml(&text, |name| named(name).map_err(|error| error.to_string())).map_err(
        |error| CliError::FileContent {
            path: path.to_owned(),
            reason: format!("is no policy: {error}"),
        },
    )
}

/// Names the option that does not fit the others.
pub(super) fn unfit(error: PackageError) -> CliError {
    match error {
        PackageError::Core(error) => error.into(),
        PackageError::Entropy(error) => BaseError::Entropy(error).into(),
        PackageError::NoChain => CliError::missing(
            "--chain",
            "a scheme of the policy sends the certificate chain",
        ),
        error @ PackageError::NeedlessChain => {
            CliError::option("--chain", format!("does not fit: {error}"))
        }
        error => CliError::option("--policy", format!("does not fit: {error}")),
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Uploading { part, sent, total } => {
            bar.set_length(total.into());
            bar.set_message(part.to_string());
            bar.set_position(sent.into());
        }
        Progress::Committing => bar.set_message("device proves it"),
        Progress::Comparing => bar.set_message("comparing"),
        _ => {}
    }
}
