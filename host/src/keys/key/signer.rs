//! A signer of whichever kind the key reference names.

use core::fmt;

use privyseal_core::{
    CertificationRequestInfo, CertificationRequestSigner, RsaPublicKey, Signature, Signer,
    SignerError, SignerErrorKind, SigningInput,
};
use privyseal_pkcs11::Pkcs11Signer;
use privyseal_yubihsm::YubihsmSigner;

use crate::error::Error;
use crate::pki::certificates::Certificates;

/// An open key.
#[derive(Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // A process has few of them, and keeps them.
pub enum KeySigner {
    /// Behind a PKCS #11 module.
    Pkcs11(Pkcs11Signer),
    /// On a YubiHSM 2.
    Yubihsm(YubihsmSigner),
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
        match self {
            Self::Pkcs11(signer) => signer.notes().iter().map(ToString::to_string).collect(),
            Self::Yubihsm(signer) => signer.notes().iter().map(ToString::to_string).collect(),
        }
    }

    /// The certificates that the token keeps for this key.
    pub fn certificates(&self) -> Result<Certificates, Error> {
        match self {
            Self::Pkcs11(signer) => signer
                .certificates()
                .map(Certificates::from)
                .map_err(Error::from_signer),
            Self::Yubihsm(signer) => signer
                .certificates()
                .map(Certificates::from)
                .map_err(Error::from_signer),
        }
    }
}

impl Signer for KeySigner {
    type Error = KeySignerError;

    fn public_key(&self) -> &RsaPublicKey {
        match self {
            Self::Pkcs11(signer) => signer.public_key(),
            Self::Yubihsm(signer) => signer.public_key(),
        }
    }

    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), KeySignerError> {
        match self {
            Self::Pkcs11(signer) => signer
                .sign(input, signature)
                .map_err(KeySignerError::Pkcs11),
            Self::Yubihsm(signer) => signer
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
        match self {
            Self::Pkcs11(signer) => signer
                .sign_certification_request(info, signature)
                .map_err(KeySignerError::Pkcs11),
            Self::Yubihsm(signer) => signer
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
