//! `privyseal device provision`.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use privyseal::device::{GatewayPolicy, Package, PrivateKey, Progress};
use privyseal::pki::certificates::Certificates;
use privyseal::{Error, base::clock};

use super::Which;
use crate::output::print_line;

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
    pub(super) fn run(self) -> Result<(), Error> {
        let uri = self.which.uri()?;
        let policy = GatewayPolicy::from_file(&self.policy)?;
        let certificates = self.chain.as_deref().map(Certificates::from_file);
        let certificates = certificates.transpose()?;
        let key = PrivateKey::from_file(&self.key, &mut |warning| {
            eprintln!("warning: {warning}");
        })?;
        let package = Package::new(&policy, key, certificates.as_ref(), clock::now()?)?;
        let mut device = self.which.open()?;

        let bar = bar();
        let provisioned = device.provision(&package, &mut |progress| show(&bar, progress));
        bar.finish_and_clear();
        let digest = provisioned?;
        print_line(uri.with_key(digest).to_string().as_bytes())
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
