//! A signer of whichever kind the key reference names.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use privyseal_core::{
    CertificationRequestInfo, CertificationRequestSigner, RsaPublicKey, Signature, Signer,
    SignerError, SignerErrorKind, SigningInput,
};
use privyseal_pkcs11::Pkcs11Pool;
use privyseal_yubihsm::YubihsmSigner;

use crate::error::Error;
use crate::pki::certificates::Certificates;

/// An open key. A clone is another handle to it, for another thread.
#[derive(Clone, Debug)]
pub struct KeySigner(Backend);

#[derive(Clone, Debug)]
enum Backend {
    /// Behind a PKCS #11 module: as many signatures at once as it has sessions for.
    Pkcs11(Arc<Pkcs11Pool>),
    /// On a YubiHSM 2, which signs one at a time.
    Yubihsm(Arc<Yubihsm>),
}

#[derive(Debug)]
struct Yubihsm {
    public_key: RsaPublicKey,
    signer: Mutex<YubihsmSigner>,
}

/// The error of the signer behind a [`KeySigner`].
#[derive(Debug)]
#[non_exhaustive]
pub enum KeySignerError {
    /// Of the PKCS #11 signer.
    Pkcs11(privyseal_pkcs11::Error),
    /// Of the YubiHSM signer.
    Yubihsm(privyseal_yubihsm::Error),
}

impl KeySigner {
    /// What is to be known about the key, in words; it can sign all the same.
    pub fn notes(&self) -> Vec<String> {
        match &self.0 {
            Backend::Pkcs11(pool) => pool.notes().iter().map(ToString::to_string).collect(),
            Backend::Yubihsm(key) => {
                let signer = key.signer();
                signer.notes().iter().map(ToString::to_string).collect()
            }
        }
    }

    /// The certificates that the token keeps for this key.
    pub fn certificates(&self) -> Result<Certificates, Error> {
        match &self.0 {
            Backend::Pkcs11(pool) => pool
                .certificates()
                .map(Certificates::from)
                .map_err(Error::from_signer),
            Backend::Yubihsm(key) => key
                .signer()
                .certificates()
                .map(Certificates::from)
                .map_err(Error::from_signer),
        }
    }
}

impl Yubihsm {
    fn signer(&self) -> std::sync::MutexGuard<'_, YubihsmSigner> {
        self.signer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Pkcs11Pool> for KeySigner {
    fn from(pool: Pkcs11Pool) -> Self {
        Self(Backend::Pkcs11(Arc::new(pool)))
    }
}

impl From<YubihsmSigner> for KeySigner {
    fn from(signer: YubihsmSigner) -> Self {
        Self(Backend::Yubihsm(Arc::new(Yubihsm {
            public_key: signer.public_key().clone(),
            signer: Mutex::new(signer),
        })))
    }
}

impl Signer for KeySigner {
    type Error = KeySignerError;

    fn public_key(&self) -> &RsaPublicKey {
        match &self.0 {
            Backend::Pkcs11(pool) => pool.public_key(),
            Backend::Yubihsm(key) => &key.public_key,
        }
    }

    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), KeySignerError> {
        match &self.0 {
            Backend::Pkcs11(pool) => pool
                .signer()
                .and_then(|mut signer| signer.sign(input, signature))
                .map_err(KeySignerError::Pkcs11),
            Backend::Yubihsm(key) => key
                .signer()
                .sign(input, signature)
                .map_err(KeySignerError::Yubihsm),
        }
    }
}

impl CertificationRequestSigner for KeySigner {
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), KeySignerError> {
        match &self.0 {
            Backend::Pkcs11(pool) => pool
                .signer()
                .and_then(|mut signer| signer.sign_certification_request(info, signature))
                .map_err(KeySignerError::Pkcs11),
            Backend::Yubihsm(key) => key
                .signer()
                .sign_certification_request(info, signature)
                .map_err(KeySignerError::Yubihsm),
        }
    }
}

impl SignerError for KeySignerError {
    fn kind(&self) -> SignerErrorKind {
        match self {
            Self::Pkcs11(error) => error.kind(),
            Self::Yubihsm(error) => error.kind(),
        }
    }
}

impl fmt::Display for KeySignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pkcs11(error) => error.fmt(f),
            Self::Yubihsm(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for KeySignerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Pkcs11(error) => error.source(),
            Self::Yubihsm(error) => error.source(),
        }
    }
}
