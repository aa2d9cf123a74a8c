//! A signer of whichever kind the key reference names.

use core::fmt;
use std::sync::Arc;

use privyseal_core::{
    CertificationRequestInfo, CertificationRequestSigner, RsaPublicKey, Signature, Signer,
    SignerError, SignerErrorKind, SigningInput,
};
use privyseal_hsm::{FitnessNote, SealedInput};

use crate::error::Error;
use crate::pki::certificates::Certificates;

/// An open key. A clone is another handle to it, for another thread.
#[derive(Clone, Debug)]
pub struct KeySigner(Arc<dyn Backend>);

/// What a kind of key does; one file each.
pub(super) trait Backend: fmt::Debug + Send + Sync {
    fn public_key(&self) -> &RsaPublicKey;
    fn notes(&self) -> Vec<FitnessNote>;
    fn certificates(&self) -> Result<Vec<Vec<u8>>, KeySignerError>;
    fn sign(&self, input: SealedInput<'_>, signature: &mut Signature)
    -> Result<(), KeySignerError>;
}

/// The error of the signer behind a [`KeySigner`].
#[derive(Debug)]
pub struct KeySignerError(Box<dyn SignerError + Send + Sync>);

impl KeySignerError {
    /// The error of a kind of key.
    pub(super) fn new(error: impl SignerError + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// The backend's own error, to be downcast.
    pub fn backend(&self) -> &(dyn core::error::Error + 'static) {
        &*self.0
    }
}

impl KeySigner {
    pub(super) fn new(backend: impl Backend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// What is to be known about the key, in words; it can sign all the same.
    pub fn notes(&self) -> Vec<String> {
        self.0.notes().iter().map(ToString::to_string).collect()
    }

    /// The certificates that the token keeps for this key.
    pub fn certificates(&self) -> Result<Certificates, Error> {
        let found = self.0.certificates();
        found.map(Certificates::from).map_err(Error::from_signer)
    }
}

impl Signer for KeySigner {
    type Error = KeySignerError;

    fn public_key(&self) -> &RsaPublicKey {
        self.0.public_key()
    }

    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), KeySignerError> {
        self.0.sign(SealedInput::Assertion(input), signature)
    }
}

impl CertificationRequestSigner for KeySigner {
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), KeySignerError> {
        let info = SealedInput::CertificationRequest(info);
        self.0.sign(info, signature)
    }
}

impl SignerError for KeySignerError {
    fn kind(&self) -> SignerErrorKind {
        self.0.kind()
    }
}

impl fmt::Display for KeySignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for KeySignerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source()
    }
}
