//! `privyseal yubihsm`: what only a YubiHSM 2 has: its log, its authentication keys, its attestation.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use privyseal::Certificates;
use privyseal::base::clock;
use privyseal::keys::key::KeyUri;
use privyseal::keys::{KeyUriError, SignerFailure};
use privyseal::pki::path::PathOptions;
use privyseal::pki::revocation::RevocationOptions;
use privyseal::pki::{PkiError, pem};
use privyseal_hsm::{PinFile, SecretUnavailable};
use privyseal_yubihsm::audit::{AuditDir, reconcile};
use privyseal_yubihsm::provision::{ExtraCapabilities, NewObject};
use privyseal_yubihsm::{Device, YubihsmUri};

use super::options::{of_option, pins};
use super::output::{broken, print_line, say};
use crate::error::CliError;

/// Audit and attest a YubiHSM 2, and give it authentication keys
#[derive(Subcommand)]
pub(super) enum Yubihsm {
    /// Drain the device's log into the audit-dir of the URI and compare it with the signatures made
    Audit(Which),
    /// Put an authentication key that can sign and nothing else
    PutAuthKey(PutAuthKey),
    /// Print the device's attestation of the key that the URI names, and its certificate, as PEM; with --trust only if
    /// they have a path to what is trusted
    Attest(Attest),
    /// Have the device refuse commands rather than lose an entry of its log: then give every URI its audit-dir
    ForceAudit(Which),
}

/// The device, and what opens it.
#[derive(Args)]
pub(super) struct Which {
    /// The device and its key: yubihsm:host=H;port=P;auth-key=A;key-id=K?pin-source=file:F
    #[arg(long = "key", value_name = "URI")]
    uri: String,
}

#[derive(Args)]
pub(super) struct Attest {
    #[command(flatten)]
    which: Which,
    /// Yubico's root, or whose certificate else must stand above the device's: a PEM or DER file
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Certificates between the device's and what is trusted: a PEM or DER file
    #[arg(long, value_name = "FILE", requires = "trust")]
    issuers: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct PutAuthKey {
    #[command(flatten)]
    which: Which,
    /// Its label
    #[arg(long, default_value = "")]
    label: String,
    /// Its domain, 1 to 16
    #[arg(long, default_value_t = 1)]
    domain: u8,
    /// Id of the new authentication key
    #[arg(long)]
    id: u16,
    /// File with its password, as file:PATH
    #[arg(long, value_name = "file:PATH")]
    password_source: String,
    /// It may also read the chain from the device
    #[arg(long)]
    read_certificates: bool,
    /// It may also drain the device's log
    #[arg(long)]
    drain_log: bool,
}

impl Yubihsm {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self {
            Self::Audit(which) => audit(&which),
            Self::PutAuthKey(action) => action.run(),
            Self::Attest(action) => action.run(),
            Self::ForceAudit(which) => force_audit(&which),
        }
    }
}

fn audit(which: &Which) -> Result<(), CliError> {
    let (uri, device) = which.open()?;
    let key_id = key_id(&uri)?;
    let path = uri.required_audit_dir().map_err(KeyUriError::Uri)?;
    let directory = AuditDir::open(path).map_err(signer)?;
    let drained = directory.drain(&device).map_err(SignerFailure::new)?;
    let entries = directory.entries().map_err(signer)?;
    let signatures = directory.signatures().map_err(signer)?;
    let result = reconcile(key_id, &entries, &signatures);
    let mut text = format!(
        "{} new entries, {} in all, chain proved from entry {}\n{} signatures with key {key_id} in the \
         log; ours: {} made, {} open",
        drained.entries.len(),
        entries.len(),
        entries.first().map_or(0, |entry| entry.number),
        result.logged,
        result.ours.made,
        result.ours.open,
    );
    if drained.unlogged_boots > 0 || drained.unlogged_logins > 0 {
        let _ = write!(
            text,
            "\nnot logged because the log was full: {} starts, {} logins",
            drained.unlogged_boots, drained.unlogged_logins
        );
    }
    for finding in &result.findings {
        let _ = write!(text, "\n! {finding}");
    }
    print_line(text.as_bytes())?;
    broken(result.findings.len())
}

fn force_audit(which: &Which) -> Result<(), CliError> {
    let (_, device) = which.open()?;
    device.force_audit().map_err(SignerFailure::new)?;
    print_line(b"force-audit is on")
}

impl Attest {
    fn run(self) -> Result<(), CliError> {
        let read = |option, path: &Option<PathBuf>| {
            let read = path.as_deref().map(Certificates::from_file).transpose();
            read.map_err(of_option(option))
        };
        let trust = read("--trust", &self.trust)?;
        let issuers = read("--issuers", &self.issuers)?.unwrap_or_default();
        let (uri, device) = self.which.open()?;
        let attestation = device.attest(key_id(&uri)?).map_err(SignerFailure::new)?;
        let key = attestation.key();
        let mut certificates = vec![attestation.certificate];
        certificates.extend(attestation.device_certificate);
        let pems: Vec<String> = certificates
            .iter()
            .map(|der| pem::encode("CERTIFICATE", der))
            .collect();
        if let Some(trust) = trust {
            certificates.extend(issuers.iter().map(<[u8]>::to_vec));
            let options = PathOptions::at(clock::now()?);
            Certificates::from(certificates)
                .prove(&trust, &options, RevocationOptions::default())
                .map_err(PkiError::from)?;
            say!("the attestation of {uri} has a path to what is trusted");
        }
        match &key {
            Some(key) if key.is_bound_to_device() => say!("{key}"),
            Some(key) => say!("{key}\nwarning: the key is or may be elsewhere, too"),
            None => say!("warning: the attestation does not say where the key comes from"),
        }
        print_line(pems.join("\n").as_bytes())
    }
}

impl PutAuthKey {
    fn run(self) -> Result<(), CliError> {
        let unusable = |error: SecretUnavailable| CliError::option("--password-source", error);
        let file = PinFile::from_pin_source(&self.password_source).map_err(unusable)?;
        let (password, _) = file.read().map_err(unusable)?;
        let (_, device) = self.which.open()?;
        let extra = ExtraCapabilities::default()
            .read_certificates(self.read_certificates)
            .drain_log(self.drain_log);
        let new = NewObject::new(self.id, self.label, self.domain);
        device
            .put_signing_auth_key(&new, &password, extra)
            .map_err(SignerFailure::new)?;
        print_line(format!("authentication key {}", self.id).as_bytes())
    }
}

impl Which {
    fn open(&self) -> Result<(YubihsmUri, Device), CliError> {
        let uri: YubihsmUri = self.uri.parse().map_err(KeyUriError::Uri)?;
        let mut pins = pins(&KeyUri::Yubihsm(uri.clone()));
        let device = Device::open(&uri, &mut pins).map_err(SignerFailure::new)?;
        Ok((uri, device))
    }
}

fn key_id(uri: &YubihsmUri) -> Result<u16, CliError> {
    Ok(uri.required_key_id().map_err(KeyUriError::Uri)?)
}

fn signer(error: privyseal_yubihsm::audit::AuditError) -> CliError {
    SignerFailure::new(privyseal_yubihsm::Error::from(error)).into()
}
