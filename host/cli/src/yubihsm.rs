//! `privyseal yubihsm`: what only a YubiHSM 2 has: its log, its set-up, its attestation.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use privyseal::keys::key::KeyUri;
use privyseal::keys::{KeyUriError, SignerFailure};
use privyseal::pki::certificates::Certificates;
use privyseal::pki::pem;
use privyseal_hsm::{PinFile, SecretUnavailable};
use privyseal_yubihsm::audit::{AuditDir, reconcile};
use privyseal_yubihsm::provision::{ExtraCapabilities, KeySize, NewObject};
use privyseal_yubihsm::{Device, YubihsmUri};

use super::options::pins;
use super::output::{broken, print_line};
use crate::error::CliError;

/// Audit, set up and attest a YubiHSM 2
#[derive(Args)]
pub(super) struct Yubihsm {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Drain the device's log into the audit-dir of the URI and compare it with the signatures made
    Audit(Which),
    /// Generate the key that the URI names, which can sign and nothing else
    GenerateKey(GenerateKey),
    /// Put an authentication key that can sign and nothing else
    PutAuthKey(PutAuthKey),
    /// Store a certificate chain on the device
    StoreChain(StoreChain),
    /// Print the device's attestation of the key that the URI names, and its certificate, as PEM
    Attest(Which),
}

/// The device, and what opens it.
#[derive(Args)]
struct Which {
    /// The device and its key: yubihsm:host=H;port=P;auth-key=A;key-id=K?pin-source=file:F
    #[arg(long = "key", value_name = "URI")]
    uri: String,
}

/// Where a new object goes.
#[derive(Args)]
struct Place {
    /// Label of the new object
    #[arg(long, default_value = "")]
    label: String,
    /// Domain of the new object, 1 to 16
    #[arg(long, default_value_t = 1)]
    domain: u8,
}

#[derive(Args)]
struct GenerateKey {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
    /// Bits of the RSA modulus
    #[arg(long, default_value = "2048", value_parser = ["2048", "3072", "4096"])]
    bits: String,
}

#[derive(Args)]
struct PutAuthKey {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
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

#[derive(Args)]
struct StoreChain {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
    /// The chain, PEM or DER
    #[arg(long, value_name = "FILE")]
    chain: PathBuf,
    /// Id of the first opaque object; the others follow
    #[arg(long)]
    first_id: u16,
}

impl Yubihsm {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            Action::Audit(which) => audit(&which),
            Action::GenerateKey(action) => action.run(),
            Action::PutAuthKey(action) => action.run(),
            Action::StoreChain(action) => action.run(),
            Action::Attest(which) => attest(&which),
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

fn attest(which: &Which) -> Result<(), CliError> {
    let (uri, device) = which.open()?;
    let attestation = device.attest(key_id(&uri)?).map_err(SignerFailure::new)?;
    let certificates = [
        Some(attestation.certificate),
        attestation.device_certificate,
    ];
    let pems: Vec<String> = certificates
        .iter()
        .flatten()
        .map(|der| pem::encode("CERTIFICATE", der))
        .collect();
    print_line(pems.join("\n").as_bytes())
}

impl GenerateKey {
    fn run(self) -> Result<(), CliError> {
        let (uri, device) = self.which.open()?;
        let size = match self.bits.as_str() {
            "4096" => KeySize::Rsa4096,
            "3072" => KeySize::Rsa3072,
            _ => KeySize::Rsa2048,
        };
        let new = self.place.object(key_id(&uri)?);
        device
            .generate_key(&new, size)
            .map_err(SignerFailure::new)?;
        print_line(uri.to_string().as_bytes())
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
        device
            .put_signing_auth_key(&self.place.object(self.id), &password, extra)
            .map_err(SignerFailure::new)?;
        print_line(format!("authentication key {}", self.id).as_bytes())
    }
}

impl StoreChain {
    fn run(self) -> Result<(), CliError> {
        let certificates = Certificates::from_file(&self.chain)?;
        let certificates: Vec<Vec<u8>> = certificates.iter().map(<[u8]>::to_vec).collect();
        let (_, device) = self.which.open()?;
        let ids = device
            .put_certificates(&self.place.object(self.first_id), &certificates)
            .map_err(SignerFailure::new)?;
        let ids: Vec<String> = ids.iter().map(u16::to_string).collect();
        print_line(format!("cert-ids={}", ids.join(",")).as_bytes())
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

impl Place {
    fn object(&self, id: u16) -> NewObject {
        NewObject::new(id, self.label.clone(), self.domain)
    }
}

fn key_id(uri: &YubihsmUri) -> Result<u16, CliError> {
    Ok(uri.required_key_id().map_err(KeyUriError::Uri)?)
}

fn signer(error: privyseal_yubihsm::audit::AuditError) -> CliError {
    SignerFailure::new(privyseal_yubihsm::Error::from(error)).into()
}
