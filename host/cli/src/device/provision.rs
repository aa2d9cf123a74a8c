//! `privyseal device provision`.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use privyseal::base::file::{self, InputFile};
use privyseal::pki::certificates::Certificates;
use privyseal::{base::BaseError, base::clock};
use privyseal_gateway::private_key::MAX_CONTENT;
use privyseal_gateway::{
    GatewayPolicy, Package, PackageError, PrivateKey, PrivateKeyError, Progress,
};

use super::Which;
use crate::error::CliError;
use crate::output::print_line;
use crate::output::say;

/// The largest policy that is read, and the largest file that it names, in bytes.
const MAX_POLICY_FILE: usize = 64 * 1024;

/// Put a key, its certificate chain and a policy into an empty device, and lock it
///
/// Everything is proved first: the policy, the chain, that its leaf is for the key, that the key can serve
/// each scheme. Nothing of it can be changed later; a wipe destroys it all. Prints the device's URI with
/// the key's digest, to paste as --key.
#[derive(Args)]
pub(super) struct Provision {
    #[command(flatten)]
    which: Which,
    /// What the device may sign: a TOML file (docs/gateway-policy.toml is an example)
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The private key: RSA-2048 in PKCS#8, PEM or DER, not encrypted; - reads standard input
    #[arg(long, value_name = "FILE|-")]
    key: PathBuf,
    /// The certificate chain, PEM or DER, root included; for schemes that send it
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
}

impl Provision {
    pub(super) fn run(self) -> Result<(), CliError> {
        let uri = self.which.uri()?;
        let policy = read_policy(&self.policy)?;
        let certificates = self.chain.as_deref().map(Certificates::from_file);
        let certificates = certificates.transpose()?;
        let chain = certificates.as_ref().map(Certificates::chain).transpose()?;
        let key = private_key(&self.key)?;
        let package = Package::new(&policy, key, chain.as_ref(), clock::now()?);
        let package = package.map_err(unfit)?;
        let mut device = self.which.open()?;

        let bar = bar();
        let provisioned = device.provision(&package, &mut |progress| show(&bar, progress));
        bar.finish_and_clear();
        let digest = provisioned?;
        print_line(uri.with_key(digest).to_string().as_bytes())
    }
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

fn private_key(path: &Path) -> Result<PrivateKey, CliError> {
    let file = InputFile::open_or_stdin(path)?;
    let path = file.path().to_owned();
    if file.is_readable_by_all() {
        say!(
            "warning: {} can be read by every user of this machine; chmod 600 fixes that, and once it is in \
             the device the file should be destroyed",
            path.display()
        );
    }
    let content = file.read_secret(MAX_CONTENT)?;
    PrivateKey::from_bytes(&content).map_err(|error| CliError::FileContent {
        path,
        reason: format!("cannot be used: {}", unusable(error)),
    })
}

fn unusable(error: PrivateKeyError) -> String {
    let convert = match error {
        PrivateKeyError::Encrypted => "let openssl ask for its password: openssl pkcs8",
        PrivateKeyError::NotPkcs8 => "convert it: openssl pkcs8 -topk8 -nocrypt",
        _ => return error.to_string(),
    };
    format!("{error}; {convert} -in FILE | privyseal device provision --key - ..")
}

/// Names the option that does not fit the others.
fn unfit(error: PackageError) -> CliError {
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

/// Shown if standard error is a terminal, as indicatif does by itself.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg:18} [{bar:30}] {bytes} of {total_bytes}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
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
