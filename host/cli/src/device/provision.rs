//! `privyseal device provision`.

use std::fs::File;
use std::io::{self, Read as _, stdin};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use privyseal::pki::certificates::Certificates;
use privyseal::{Error, base::clock};
use privyseal_gateway::private_key::MAX_CONTENT;
use privyseal_gateway::{
    GatewayPolicy, Package, PackageError, PrivateKey, PrivateKeyError, Progress,
};
use zeroize::Zeroizing;

use super::Which;
use crate::output::print_line;

/// The largest policy that is read, and the largest file that it names, in bytes.
const MAX_POLICY_FILE: u64 = 64 * 1024;

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

fn read_policy(path: &Path) -> Result<GatewayPolicy, Error> {
    let unusable = |reason: String| Error::FileContent {
        path: path.to_owned(),
        reason,
    };
    let text = String::from_utf8(read(path)?)
        .map_err(|_| unusable("is not UTF-8, so it is no TOML".to_owned()))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    GatewayPolicy::from_toml(&text, |name| {
        read(&directory.join(name)).map_err(|error| error.to_string())
    })
    .map_err(|error| unusable(format!("is no policy: {error}")))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut content = Vec::new();
    let mut file = File::open(path).map_err(failed)?.take(MAX_POLICY_FILE + 1);
    file.read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > MAX_POLICY_FILE {
        let reason = format!("is larger than {MAX_POLICY_FILE} bytes, so it is something else");
        return Err(Error::FileContent {
            path: path.to_owned(),
            reason,
        });
    }
    Ok(content)
}

/// Reads the key around standard input's buffer, which nobody wipes, and into one that does not grow.
fn private_key(path: &Path) -> Result<PrivateKey, Error> {
    let is_input = path == Path::new("-");
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let file = if is_input {
        stdin().as_fd().try_clone_to_owned().map(File::from)
    } else {
        File::open(path)
    };
    let mut file = file.map_err(failed)?;
    if file
        .metadata()
        .is_ok_and(|data| data.is_file() && data.mode() & 0o004 != 0)
    {
        eprintln!(
            "warning: {} can be read by every user of this machine; chmod 600 mends that, and once it is in \
             the device the file should be destroyed",
            path.display()
        );
    }
    let mut content = Zeroizing::new(vec![0; MAX_CONTENT + 1]);
    let mut len = 0;
    loop {
        match file.read(content.get_mut(len..).unwrap_or(&mut [])) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    PrivateKey::from_bytes(content.get(..len).unwrap_or(&[])).map_err(|error| Error::FileContent {
        path: if is_input {
            "standard input".into()
        } else {
            path.to_owned()
        },
        reason: unusable(error),
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

fn unfit(error: PackageError) -> Error {
    let option = match error {
        PackageError::Core(error) => return Error::Core(error),
        PackageError::Entropy(error) => return Error::Entropy(error),
        PackageError::NoChain => {
            let reason = "a scheme of the policy sends the certificate chain".to_owned();
            return Error::Missing {
                option: "--chain",
                reason,
            };
        }
        PackageError::NeedlessChain => "--chain",
        _ => "--policy",
    };
    let reason = format!("does not fit: {error}");
    Error::Option { option, reason }
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
