//! Certification paths: found in an unordered heap (RFC 4158) and validated (RFC 5280 section 6.1).
//!
//! A trust anchor is a name and a key. What else its certificate says, its own signature and its dates, does not
//! count (RFC 5280 section 6.1.1 (d)).

mod build;
mod certificate;
mod heap;
mod name;
mod policy;
mod search;
mod validate;

use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, CertificateError, KeyUsage, LinkError};

use super::status::Unknown;

pub(crate) use certificate::{Extensions, PathCertificate};
pub(crate) use heap::{End, Heap, Path};
pub(crate) use name::{
    NormalName, attribute, attributes, display_name, escaped_value, shown_name, text,
};
pub use policy::PolicyInputs;
pub(crate) use validate::constraints_hold;

/// By what paths are judged, besides their anchors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathOptions {
    /// The moment.
    pub now: UnixTime,
    /// What is demanded of certificate policies.
    pub policies: PolicyInputs,
}

impl PathOptions {
    /// At `now`, under any policy or none.
    pub fn at(now: UnixTime) -> Self {
        Self {
            now,
            policies: PolicyInputs::default(),
        }
    }
}

/// A name and a key that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustAnchor {
    pub(crate) name: NormalName,
    /// The SubjectPublicKeyInfo, DER.
    pub(crate) spki: Vec<u8>,
    pub(crate) may_sign_lists: bool,
    /// The certificate that they came in, DER.
    der: Vec<u8>,
}

impl TrustAnchor {
    /// Of a certificate that is trusted, whatever stands above it.
    pub(crate) fn of(certificate: &PathCertificate<'_>) -> Self {
        Self {
            name: certificate.subject.clone(),
            spki: certificate.spki().to_vec(),
            may_sign_lists: may_sign_lists(certificate),
            der: certificate.as_der().to_vec(),
        }
    }

    /// The same. What path validation would refuse in it does not count.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_der(der)?;
        Ok(Self {
            name: NormalName::from_der(certificate.subject().as_der())?,
            spki: certificate.spki().to_vec(),
            may_sign_lists: may_sign_lists(&certificate),
            der: der.to_vec(),
        })
    }
}

/// Whether a CA may sign revocation lists (RFC 5280 section 4.2.1.3).
pub(crate) fn may_sign_lists(certificate: &Certificate<'_>) -> bool {
    certificate
        .key_usages()
        .is_none_or(|usages| usages.has(KeyUsage::CrlSign))
}

/// Why there is no path, or none that holds. Positions count from 0, the leaf; for [`PathError::Certificate`] in the
/// order given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A certificate cannot be read.
    #[error("certificate {position} (as given) {error}")]
    Certificate {
        /// Which one.
        position: usize,
        /// Why.
        error: CertificateError,
    },
    /// No certificate that could be the leaf.
    #[error("each certificate issued another, so none of them is a leaf")]
    NoLeaf,
    /// The certificate that is named as the leaf is not among those given.
    #[error("no certificate has the SHA-256 that names the leaf")]
    NamedLeafMissing,
    /// Several that could be it.
    #[error(
        "there are several certificates that issued no other, so it cannot be told which one is the leaf: {first} \
         and {second}"
    )]
    SeveralLeaves {
        /// The name of one.
        first: String,
        /// The name of another.
        second: String,
    },
    /// The path ends below its anchor.
    #[error(
        "no certificate that was given issued the one of {subject}: that of its issuer, {issuer}, is missing or has \
         another key"
    )]
    MissingIssuer {
        /// Whose issuer.
        subject: String,
        /// Its name.
        issuer: String,
    },
    /// The path ends at a root that nobody trusts.
    #[error("the certificates lead to {root}, which is none of the trusted certificates")]
    Untrusted {
        /// Its name.
        root: String,
    },
    /// A rule is broken.
    #[error("certificate {position} {rule}")]
    Broken {
        /// Of which certificate.
        position: usize,
        /// Which rule.
        rule: PathRule,
    },
    /// Too many certificates of the same names.
    #[error("the certificates have too many possible paths to look at all of them")]
    TooMany,
}

impl PathError {
    /// Whether a certificate was revoked, or it cannot be told.
    pub const fn is_about_revocation(&self) -> bool {
        matches!(
            self,
            Self::Broken {
                rule: PathRule::Revoked(_) | PathRule::RevocationUnknown(_),
                ..
            }
        )
    }

    /// The error in words that are the same for every chain; the chain is their subject.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Certificate { .. } => "has a certificate that cannot be read strictly",
            Self::NoLeaf | Self::NamedLeafMissing | Self::SeveralLeaves { .. } => "has no leaf",
            Self::MissingIssuer { .. } | Self::Untrusted { .. } => {
                "does not end at one of the trusted certificates"
            }
            Self::TooMany => "has too many possible paths",
            Self::Broken { rule, .. } => match rule {
                PathRule::NameConstraints => "has a name that one of its CAs may not certify",
                PathRule::Policies => {
                    "is not valid for the certificate policies that its CAs demand"
                }
                PathRule::CriticalExtension => {
                    "has a critical extension that is not processed here"
                }
                PathRule::Revoked(_) | PathRule::RevocationUnknown(_) => "is or may be revoked",
                _ => "does not hold up to one of the trusted certificates",
            },
        }
    }
}

/// A rule of RFC 5280, as one certificate breaks it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathRule {
    /// Its signature.
    #[error(transparent)]
    Signature(#[from] LinkError),
    /// The issuer's name is not the subject of the certificate above.
    #[error("names another issuer than the certificate above it (RFC 5280 section 6.1.3)")]
    Issuer,
    /// It is not valid yet.
    #[error("is valid from {0} only (RFC 5280 section 4.1.2.5)")]
    NotYetValid(UnixTime),
    /// It is no longer valid.
    #[error("expired at {0} (RFC 5280 section 4.1.2.5)")]
    Expired(UnixTime),
    /// It is no CA's and issued another.
    #[error("issued another but is no CA (RFC 5280 section 4.2.1.9)")]
    NotCa,
    /// It may not sign certificates.
    #[error("issued another without key usage keyCertSign (RFC 5280 section 4.2.1.3)")]
    KeyUsage,
    /// Too many CAs stand below one above it.
    #[error("is one CA more than a CA above it allows (RFC 5280 section 4.2.1.9)")]
    PathLength,
    /// A CA above it may not issue for a name of it.
    #[error("has a name that a CA above it may not certify (RFC 5280 section 4.2.1.10)")]
    NameConstraints,
    /// The policies along the path.
    #[error("is not valid for the certificate policies demanded (RFC 5280 section 6.1.5 (g))")]
    Policies,
    /// A critical extension.
    #[error("has a critical extension that is not processed here (RFC 5280 section 4.2)")]
    CriticalExtension,
    /// It was revoked.
    #[error("is revoked since {0} (RFC 5280 section 5.3)")]
    Revoked(UnixTime),
    /// Whether it was revoked cannot be told.
    #[error("may be revoked: {0}")]
    RevocationUnknown(Unknown),
}

impl PathError {
    /// The document and section of the rule that is broken.
    pub(crate) const fn source_text(&self) -> &'static str {
        match self {
            Self::Certificate { .. } => "RFC 5280 section 4.1",
            Self::MissingIssuer { .. } | Self::Untrusted { .. } => "RFC 5280 section 6.1.1 (d)",
            Self::NoLeaf | Self::NamedLeafMissing | Self::SeveralLeaves { .. } | Self::TooMany => {
                "RFC 5280 section 6.1"
            }
            Self::Broken { rule, .. } => rule.source_text(),
        }
    }
}

impl PathRule {
    /// The document and section that have it.
    pub(crate) const fn source_text(&self) -> &'static str {
        match self {
            Self::Signature(_) => "RFC 5280 section 6.1.3 (a)",
            Self::Issuer => "RFC 5280 section 6.1.3",
            Self::NotYetValid(_) | Self::Expired(_) => "RFC 5280 section 4.1.2.5",
            Self::NotCa | Self::PathLength => "RFC 5280 section 4.2.1.9",
            Self::KeyUsage => "RFC 5280 section 4.2.1.3",
            Self::NameConstraints => "RFC 5280 section 4.2.1.10",
            Self::Policies => "RFC 5280 section 6.1.5 (g)",
            Self::CriticalExtension => "RFC 5280 section 4.2",
            Self::Revoked(_) => "RFC 5280 section 5.3",
            Self::RevocationUnknown(_) => "RFC 5280 section 6.3",
        }
    }

    pub(crate) const fn at(self, position: usize) -> PathError {
        PathError::Broken {
            position,
            rule: self,
        }
    }
}
