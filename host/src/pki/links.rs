//! Proves links that the core cannot: certificates and CRLs that an ECDSA key signed.
//!
//! The core verifies RSA on fixed-size integers. CAs with P-256 and P-384 keys are common at issuers of
//! TLS and qualified certificates; here ring verifies their signatures. Assertions themselves stay RS256.

mod algorithm;
mod ec_key;

use privyseal_core::cert::{Certificate, LinkError, VerifyLink};
use privyseal_core::rsa::VerifyingKey;
use ring::signature::UnparsedPublicKey;

use algorithm::Algorithm;

pub use ec_key::{Curve, EcKey};

/// Knows what [`privyseal_core::cert::RsaLinks`] knows, and ECDSA with P-256 or P-384 and SHA-256 or
/// SHA-384 (RFC 5758 section 3.2).
#[allow(
    clippy::exhaustive_structs,
    reason = "it has no state, and is named as a value"
)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HostLinks;

impl VerifyLink for HostLinks {
    fn verify(&self, subject: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<(), LinkError> {
        let algorithm = subject
            .signature_algorithm()
            .and_then(|oid| Algorithm::from_oid(&oid));
        let algorithm = algorithm.ok_or(LinkError::UnknownAlgorithm)?;
        verify(algorithm, subject.tbs(), subject.signature(), issuer)
    }
}

/// Whether `signer`'s key made `signature` over `message`.
pub(crate) fn verify(
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
    signer: &Certificate<'_>,
) -> Result<(), LinkError> {
    match algorithm {
        Algorithm::Rsa(digest) => {
            let key = signer
                .rsa_key()
                .and_then(VerifyingKey::new)
                .map_err(LinkError::IssuerKey)?;
            key.verify(&digest.digest(message), signature)
                .map_err(|_| LinkError::BadSignature)
        }
        Algorithm::Ecdsa(digest) => {
            let key = EcKey::from_spki(signer.spki()).ok_or(LinkError::UnknownAlgorithm)?;
            let scheme = key.curve().ecdsa_with(digest);
            UnparsedPublicKey::new(scheme, key.point())
                .verify(message, signature)
                .map_err(|_| LinkError::BadSignature)
        }
    }
}

pub(crate) use algorithm::Algorithm as SignatureAlgorithm;
