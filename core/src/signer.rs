//! The interface to the hardware that holds the private key.
//!
//! Two methods. A signer knows its public key, so that a credential can be checked against it before
//! anything is signed, and it signs a [`SigningInput`], which only the core can make. **Who hashes:**
//! the core has hashed already. A signer whose hardware signs a digest or a `DigestInfo` (smartcards,
//! `CKM_RSA_PKCS`, YubiHSM, the gateway) uses [`SigningInput::digest`] or
//! [`SigningInput::digest_info`]; one whose hardware insists on hashing (`CKM_SHA256_RSA_PKCS`) uses
//! [`SigningInput::write_to`]. All of them must give the same bytes: RSASSA-PKCS1-v1_5 is deterministic.
//!
//! A signer need not verify what it made: the pipeline does, before one byte leaves.

use crate::csr::{CertificationRequest, CertificationRequestInfo};
use crate::error::SignError;
use crate::jws::CompactJws;
use crate::rsa::{RsaPublicKey, Signature};
use crate::signing_input::SigningInput;

/// Signs client assertions with RS256 (RFC 7518 section 3.3).
pub trait Signer {
    /// Why it did not sign; keeps its own typed source and says of what kind it is.
    type Error: SignerError;

    /// The public key of the key that signs.
    fn public_key(&self) -> &RsaPublicKey;

    /// Signs `input` and puts the signature into `signature`, exactly as long as the modulus. On an
    /// error the content of `signature` is unspecified.
    ///
    /// # Errors
    /// The signer's own.
    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error>;
}

/// Signs certification requests with the same key, RS256 too: the one other thing that a key may sign.
///
/// A seam of its own, because not every signer has it: a device in the field signs assertions only.
pub trait CertificationRequestSigner: Signer {
    /// Signs `info` and puts the signature into `signature`, exactly as long as the modulus. On an error
    /// the content of `signature` is unspecified.
    ///
    /// # Errors
    /// The signer's own.
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error>;
}

/// An error of a signer, in embedded-hal's way: generic code asks for the kind, a person reads the
/// message, and code that knows the signer matches its own type.
pub trait SignerError: core::error::Error {
    /// What kind of trouble it is.
    fn kind(&self) -> SignerErrorKind;
}

/// What kind of trouble a signer had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignerErrorKind {
    /// The module, token, device or connector is not there, or went away.
    Unavailable,
    /// The key (or its token) cannot be found where the reference says.
    NotFound,
    /// The reference fits more than one key or token.
    Ambiguous,
    /// The PIN or password is wrong. One try was spent.
    PinIncorrect,
    /// The PIN is locked; only its security officer can help.
    PinLocked,
    /// One PIN try is left, and it was not spent.
    PinFinalTry,
    /// A PIN is needed and none was given, or the login was lost.
    NotLoggedIn,
    /// The key may not sign, has the wrong type or size, or fits no mechanism.
    KeyUnfit,
    /// All sessions are in use, or the device said that it is busy; later may work.
    Busy,
    /// No answer in time. Whether a signature was made is not known; none was released.
    Timeout,
    /// A device refused by its own policy.
    Refused,
    /// What was to be decrypted was not encrypted to this key, or was changed (unwrappers only).
    Undecipherable,
    /// The hardware answered something that it should not have.
    Protocol,
    /// The reference or the configuration is malformed.
    Configuration,
    /// Anything else.
    Other,
}

impl<S: Signer + ?Sized> Signer for &mut S {
    type Error = S::Error;

    fn public_key(&self) -> &RsaPublicKey {
        (**self).public_key()
    }

    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), S::Error> {
        (**self).sign(input, signature)
    }
}

impl<S: CertificationRequestSigner + ?Sized> CertificationRequestSigner for &mut S {
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), S::Error> {
        (**self).sign_certification_request(info, signature)
    }
}

impl SigningInput<'_> {
    /// Has `signer` sign, verifies the signature and puts the token into `buffer`, which
    /// [`crate::limits::MAX_COMPACT_JWS`] bytes are always enough for. On any error `buffer` holds nothing of a token.
    ///
    /// # Errors
    /// [`SignError::Signer`], or [`SignError::Token`] where the signature does not verify or
    /// `buffer` is too short.
    pub fn sign<'b, S: Signer>(
        self,
        signer: &mut S,
        buffer: &'b mut [u8],
    ) -> Result<CompactJws<'b>, SignError<S::Error>> {
        let mut signature = Signature::new();
        signer
            .sign(&self, &mut signature)
            .map_err(SignError::Signer)?;
        self.attach(signature.as_bytes(), buffer)
            .map_err(SignError::Token)
    }
}

impl CertificationRequestInfo<'_> {
    /// Has `signer` sign, verifies the signature and puts the request into `buffer`, which
    /// [`crate::limits::MAX_CERTIFICATION_REQUEST`] bytes are always enough for. On any error `buffer` holds
    /// nothing of a request.
    ///
    /// # Errors
    /// [`SignError::Signer`], or [`SignError::Token`] where the signature does not verify or
    /// `buffer` is too short.
    pub fn sign<'b, S: CertificationRequestSigner>(
        &self,
        signer: &mut S,
        buffer: &'b mut [u8],
    ) -> Result<CertificationRequest<'b>, SignError<S::Error>> {
        let mut signature = Signature::new();
        signer
            .sign_certification_request(self, &mut signature)
            .map_err(SignError::Signer)?;
        self.attach(signature.as_bytes(), buffer)
            .map_err(SignError::Token)
    }
}
