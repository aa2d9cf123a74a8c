//! What can be wrong with a chain, and where in it.

use thiserror::Error;

use super::error::CertificateError;
use super::extensions::KeyUsage;
use super::link::LinkError;
use crate::limits::{MAX_CERTIFICATES, MAX_CHAIN_DER};
use crate::rsa::KeyError;

/// Why certificates are no chain, or not one that may sign. Positions count from 0, the leaf; for
/// [`ChainError::Certificate`], [`ChainError::Unrelated`] and [`ChainError::Duplicate`] they count in
/// the order given, because there is no other yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No certificate at all.
    #[error("x5c has no certificate (RFC 7515 section 4.1.6)")]
    Empty,
    /// More than [`MAX_CERTIFICATES`] certificates.
    #[error("x5c has {count} certificates, at most {max_certificates} are supported", max_certificates = MAX_CERTIFICATES)]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// More than [`MAX_CHAIN_DER`] bytes of DER.
    #[error("x5c has {len} bytes of DER, at most {max_chain_der} are supported", max_chain_der = MAX_CHAIN_DER)]
    TooLong {
        /// How many bytes there are.
        len: usize,
    },
    /// One certificate cannot be read.
    #[error("certificate {position} (as given) {error}")]
    Certificate {
        /// Which one, in the order given.
        position: usize,
        /// Why.
        error: CertificateError,
    },
    /// One certificate stands there twice.
    #[error("certificate {position} (as given) is there twice")]
    Duplicate {
        /// The second of the two, in the order given.
        position: usize,
    },
    /// One certificate neither issued another nor was issued by another: there is no one order.
    #[error(
        "certificate {position} (as given) does not belong to one chain with the others: \
                 x5c must be one chain, each certificate certified by the next (RFC 7515 section \
                 4.1.6)"
    )]
    Unrelated {
        /// Which one, in the order given.
        position: usize,
    },
    /// The last certificate is not self-signed, so the root is missing.
    #[error("the chain ends before its self-signed root, which the scheme wants in x5c")]
    MissingRoot,
    /// The leaf is a CA certificate (basic constraints, RFC 5280 section 4.2.1.9).
    #[error(
        "the leaf is a CA certificate; an assertion is signed by an end entity (RFC 5280 \
                 section 4.2.1.9)"
    )]
    LeafIsCa,
    /// The leaf has none of the key usages that the scheme accepts.
    #[error("the leaf's key usage is not {wanted} ({rule})")]
    LeafKeyUsage {
        /// The one that the scheme prefers.
        wanted: KeyUsage,
        /// Where the scheme says so.
        rule: &'static str,
    },
    /// The leaf's extended key usage has none of the purposes that the scheme accepts.
    #[error("the leaf is for other purposes, by its extended key usage ({rule})")]
    LeafPurpose {
        /// Where the scheme says so.
        rule: &'static str,
    },
    /// An issuer is no CA (basic constraints, RFC 5280 section 4.2.1.9).
    #[error("certificate {position} issued another but is no CA (RFC 5280 section 4.2.1.9)")]
    NotCa {
        /// Which certificate.
        position: usize,
    },
    /// An issuer may not sign certificates (keyCertSign, RFC 5280 section 4.2.1.3).
    #[error(
        "certificate {position} issued another without key usage keyCertSign (RFC 5280 \
                 section 4.2.1.3)"
    )]
    CaKeyUsage {
        /// Which certificate.
        position: usize,
    },
    /// More CAs stand below an issuer than its path length allows (RFC 5280 section 4.2.1.9).
    #[error(
        "more than the {allowed} CAs that certificate {position} allows stand below it \
                 (RFC 5280 section 4.2.1.9)"
    )]
    PathLength {
        /// Which certificate.
        position: usize,
        /// How many it allows.
        allowed: u8,
    },
    /// A critical extension that this software does not know (RFC 5280 section 4.2).
    #[error(
        "certificate {position} has a critical extension that is not known here (RFC 5280 \
                 section 4.2)"
    )]
    CriticalExtension {
        /// Which certificate.
        position: usize,
    },
    /// Name or policy constraints, which need more than is done here, critical or not.
    #[error(
        "certificate {position} has nameConstraints or policyConstraints, which are not proved here (RFC 5280 \
                 sections 4.2.1.10 and 4.2.1.11)"
    )]
    UnprocessedConstraints {
        /// Which certificate.
        position: usize,
    },
    /// A certificate below has a name or a policy that these constraints do not allow.
    #[error(
        "a certificate has a name or policies that the constraints of certificate {position} do not allow (RFC \
                 5280 sections 4.2.1.10 and 4.2.1.11)"
    )]
    Constraints {
        /// Which certificate.
        position: usize,
    },
    /// A certificate's key cannot be used.
    #[error("the key of certificate {position} {error}")]
    Key {
        /// Which certificate.
        position: usize,
        /// Why.
        error: KeyError,
    },
    /// A certificate's signature was not made by the next one's key, or cannot be verified.
    #[error("certificate {position} {error}")]
    Link {
        /// Which certificate.
        position: usize,
        /// Why.
        error: LinkError,
    },
}
