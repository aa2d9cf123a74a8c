//! A signer without hardware. **For tests only**: its key lies in memory, and it refuses nothing.
//!
//! It uses the `rsa` crate, whose private-key operations are not constant-time (RUSTSEC-2023-0071, no
//! fixed version). Its keys are generated for tests and worth nothing.

use core::fmt;

use privyseal_core::csr::CertificationRequestInfo;
use privyseal_core::rsa::{RsaPublicKey, Signature};
use privyseal_core::signer::{CertificationRequestSigner, Signer, SignerError, SignerErrorKind};
use privyseal_core::signing_input::SigningInput;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::{Digest as _, Sha256};
use rsa::signature::SignatureEncoding as _;
use rsa::signature::hazmat::PrehashSigner as _;

use privyseal_test_pki::TestKey;

/// Signs with a key in memory.
#[derive(Clone)]
pub struct SoftwareSigner {
    key: SigningKey<Sha256>,
    public_key: RsaPublicKey,
}

/// The `rsa` crate could not sign.
#[derive(Debug)]
pub struct SoftwareSignerError(rsa::signature::Error);

impl SoftwareSigner {
    /// Signs with `key`.
    ///
    /// # Panics
    /// If the core supports no key of this size.
    pub fn new(key: &TestKey) -> Self {
        Self {
            public_key: key.public_key(),
            key: SigningKey::new(key.private_key().clone()),
        }
    }

    /// RS256 over any bytes: for vectors that are not client assertions.
    ///
    /// # Panics
    /// If the key is unusable.
    pub fn sign_message(key: &RsaPrivateKey, message: &[u8]) -> Vec<u8> {
        SigningKey::<Sha256>::new(key.clone())
            .sign_prehash(&Sha256::digest(message))
            .expect("the key can sign")
            .to_vec()
    }

    fn sign_digest(
        &self,
        digest: &[u8; 32],
        signature: &mut Signature,
    ) -> Result<(), SoftwareSignerError> {
        let made = self.key.sign_prehash(digest).map_err(SoftwareSignerError)?;
        signature.set(&made.to_bytes()).map_err(|error| {
            SoftwareSignerError(rsa::signature::Error::from_source(error.to_string()))
        })
    }
}

impl Signer for SoftwareSigner {
    type Error = SoftwareSignerError;

    fn public_key(&self) -> &RsaPublicKey {
        &self.public_key
    }

    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error> {
        self.sign_digest(input.digest(), signature)
    }
}

impl CertificationRequestSigner for SoftwareSigner {
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error> {
        self.sign_digest(info.digest(), signature)
    }
}

impl fmt::Debug for SoftwareSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareSigner({:?})", self.public_key)
    }
}

impl fmt::Display for SoftwareSignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the software key cannot sign: {}", self.0)
    }
}

impl std::error::Error for SoftwareSignerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl SignerError for SoftwareSignerError {
    fn kind(&self) -> SignerErrorKind {
        SignerErrorKind::Other
    }
}
