//! The signer: one key on a device, open and ready.

use std::sync::Arc;

use privyseal_core::{RsaPublicKey, Signature};
use privyseal_hsm::{
    FitnessNote, HeldCertificate, SealedInput, SecretProvider, SignerOptions, public_key,
    sealed_signer,
};

use crate::audit::{self, AuditDir};
use crate::device::Device;
use crate::error::{CertificateError, DeviceCode, Error};
use crate::key::notes;
use crate::limits::DRAIN_EVERY;
use crate::uri::YubihsmUri;

/// Signs assertions with a key that stays on its device.
pub struct YubihsmSigner {
    uri: YubihsmUri,
    device: Device,
    key_id: u16,
    label: String,
    public: RsaPublicKey,
    notes: Vec<FitnessNote>,
    audit: Option<AuditDir>,
    since_drained: u32,
}

impl YubihsmSigner {
    /// As [`YubihsmSigner::open_as`] with default options.
    ///
    /// # Errors
    /// As [`YubihsmSigner::open_as`].
    pub fn open(uri: &YubihsmUri, passwords: &mut dyn SecretProvider) -> Result<Self, Error> {
        Self::open_as(uri, passwords, &SignerOptions::default())
    }

    /// Opens the device and checks that the key that `uri` names can sign, that its session may, and that it is as
    /// `options` want it.
    ///
    /// # Errors
    /// The URI names no key, the device cannot be opened or has no such key, or the key is unfit.
    pub fn open_as(
        uri: &YubihsmUri,
        passwords: &mut dyn SecretProvider,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        let key_id = uri.required_key_id()?;
        let (device, audit) = audit::open(uri, passwords)?;
        let facts = device.key(key_id)?;
        let public = facts.public_key.clone();
        let mut signer = Self {
            uri: uri.clone(),
            key_id,
            label: facts.label.clone(),
            public: public.map_err(|reason| Error::Key { key_id, reason })?,
            notes: Vec::new(),
            audit,
            since_drained: 0,
            device,
        };
        let held = if options.key.require_certificate {
            signer.held_certificate()?
        } else {
            HeldCertificate::Matching
        };
        let (session, auth_key) = (
            signer.device.session_capabilities(),
            signer.device.auth_key(),
        );
        signer.notes = notes(&facts, session, auth_key, held, &options.key);
        match signer.notes.first() {
            Some(FitnessNote::Unfit(reason)) => Err(Error::Key {
                key_id,
                reason: *reason,
            }),
            _ => Ok(signer),
        }
    }

    fn held_certificate(&self) -> Result<HeldCertificate, Error> {
        match self.certificates() {
            Ok(chain) => Ok(match chain.first().and_then(|leaf| public_key(leaf)) {
                Some(key) if key == self.public => HeldCertificate::Matching,
                _ => HeldCertificate::None,
            }),
            Err(Error::Certificates(_)) => Ok(HeldCertificate::None),
            Err(error) => Err(error),
        }
    }

    /// The certificates for this key, DER: those that the URI names by id or by label; else those with
    /// the key's own label.
    ///
    /// # Errors
    /// There are none or too many, one cannot be read, or a call of the device fails.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        match (self.read_certificates(), &self.audit) {
            (Err(error), Some(audit)) if error.is(DeviceCode::LOG_FULL) => {
                audit.drain(&self.device)?;
                self.read_certificates()
            }
            (result, _) => result,
        }
    }

    fn read_certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        if !self.uri.cert_ids().is_empty() {
            return self.device.certificates(self.uri.cert_ids());
        }
        match self.uri.cert_label().unwrap_or(&self.label) {
            "" => Err(CertificateError::NotNamed.into()),
            label => self.device.certificates_labelled(label),
        }
    }

    /// The URI it was opened by.
    pub const fn uri(&self) -> &YubihsmUri {
        &self.uri
    }

    /// The device.
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// What is worth knowing about the key. None of it keeps it from signing.
    pub fn notes(&self) -> &[FitnessNote] {
        &self.notes
    }

    /// Signs what the core sealed. The device signs the digest; the `yubihsm` crate computes it again from the
    /// message, because it has no entry point for one that is there already.
    ///
    /// # Errors
    /// The device does not sign, or the audit directory cannot be written.
    pub fn sign_sealed(
        &mut self,
        input: SealedInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), Error> {
        let message: Arc<[u8]> = input.message().into();
        let made = match self.audit.take() {
            Some(audit) => {
                let made = self.sign_counted(&audit, &message);
                self.audit = Some(audit);
                made?
            }
            None => self.sign_once(&message)?,
        };
        let wrong = Error::SignatureLength {
            len: made.len(),
            expected: self.public.size(),
        };
        if made.len() != self.public.size() {
            return Err(wrong);
        }
        signature.set(&made).map_err(|_| wrong)
    }

    fn sign_counted(&mut self, audit: &AuditDir, message: &Arc<[u8]>) -> Result<Vec<u8>, Error> {
        if self.since_drained >= DRAIN_EVERY {
            self.drain(audit)?;
        }
        match self.sign_noted(audit, message) {
            // Others filled it. Nothing was signed.
            Err(error) if error.is(DeviceCode::LOG_FULL) => {
                self.drain(audit)?;
                self.sign_noted(audit, message)
            }
            result => result,
        }
    }

    fn drain(&mut self, audit: &AuditDir) -> Result<(), Error> {
        audit.drain(&self.device)?;
        self.since_drained = 0;
        Ok(())
    }

    /// Writes down that a signature is asked for before it is, and what became of it after.
    fn sign_noted(&mut self, audit: &AuditDir, message: &Arc<[u8]>) -> Result<Vec<u8>, Error> {
        let note = audit.begin(self.key_id, self.device.auth_key())?;
        self.since_drained = self.since_drained.saturating_add(1);
        let result = self.sign_once(message);
        match &result {
            Ok(_) => note.made()?,
            // The device said no: it made none. Any other error leaves it open.
            Err(Error::Call(_)) => note.refused()?,
            Err(_) => {}
        }
        result
    }

    fn sign_once(&self, message: &Arc<[u8]>) -> Result<Vec<u8>, Error> {
        let (key_id, message) = (self.key_id, Arc::clone(message));
        self.device.call("SignPkcs1", move |client| {
            client
                .sign_rsa_pkcs1v15_sha256(key_id, &message)
                .map(yubihsm::rsa::pkcs1::Signature::into_vec)
        })
    }
}

sealed_signer!(
    YubihsmSigner,
    Error,
    |signer| &signer.public,
    |input, signature| signer.sign_sealed(input, signature)
);

privyseal_core::opaque_debug! { [] YubihsmSigner: uri, public; }
