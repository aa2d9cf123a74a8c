//! One link of a chain: was this certificate signed by that key?
//!
//! The core proves RSA links. A host can bring a verifier that knows more algorithms (ECDSA) through
//! the same seam.

use super::certificate::Certificate;
use super::name::Name;
use super::oid;
use crate::jws::Algorithm;
use crate::rsa::{KeyError, VerifyingKey};
use thiserror::Error;

/// Verifies the signature of a certificate with its issuer's key.
pub trait VerifyLink {
    /// Whether `issuer`'s key signed `subject`. Names and constraints are the chain's business.
    ///
    /// # Errors
    /// [`LinkError`].
    fn verify(&self, subject: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<(), LinkError>;

    /// Whether two names are the same. Here they are when their DER is; RFC 5280 section 7.1 folds case, blanks and
    /// types of strings, which needs a heap.
    fn is_same_name(&self, one: Name<'_>, other: Name<'_>) -> bool {
        one == other
    }

    /// Whether the certificates of `chain`, leaf first, keep the nameConstraints and policyConstraints among them (RFC
    /// 5280 sections 4.2.1.10 and 4.2.1.11). `None` where they are not processed, as here: they need a heap.
    fn constraints_hold(&self, _chain: &[Certificate<'_>]) -> Option<bool> {
        None
    }
}

/// Why a link could not be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The signature's algorithm is not one that the verifier knows.
    #[error("is signed with an algorithm, or by a kind of key, that is not verified here")]
    UnknownAlgorithm,
    /// The issuer's key cannot be used.
    #[error("cannot be verified: its issuer's key {0}")]
    IssuerKey(KeyError),
    /// The signature is wrong.
    #[error("was not signed by the next certificate's key")]
    BadSignature,
}

/// Knows RSASSA-PKCS1-v1_5 with SHA-256, SHA-384 and SHA-512, with keys of 2048, 3072 and 4096 bits.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "has no state")]
pub struct RsaLinks;

impl VerifyLink for RsaLinks {
    fn verify(&self, subject: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<(), LinkError> {
        let algorithm = match subject.signature_algorithm() {
            Some(oid::SHA256_WITH_RSA) => Algorithm::Rs256,
            Some(oid::SHA384_WITH_RSA) => Algorithm::Rs384,
            Some(oid::SHA512_WITH_RSA) => Algorithm::Rs512,
            _ => return Err(LinkError::UnknownAlgorithm),
        };
        let key = issuer
            .rsa_key()
            .and_then(VerifyingKey::new)
            .map_err(LinkError::IssuerKey)?;
        key.verify(&algorithm.digest(subject.tbs()), subject.signature())
            .map_err(|_| LinkError::BadSignature)
    }
}
