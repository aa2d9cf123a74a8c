//! Nothing, or too much, fits a URI: say what there is.

use std::fmt;

use privyseal_core::signer::SignerErrorKind;

/// Nothing fits the URI, or more than one thing does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectError {
    /// Nothing fits.
    None {
        /// What there is, as URIs (and slots whose token cannot be read, in words).
        present: Vec<String>,
    },
    /// More than one thing fits.
    Several {
        /// Those that fit, as URIs.
        matching: Vec<String>,
    },
    /// The module itself is another one than the `library-` attributes say.
    OtherLibrary,
}

impl SelectError {
    pub(super) const fn kind(&self) -> SignerErrorKind {
        match self {
            Self::None { .. } | Self::OtherLibrary => SignerErrorKind::NotFound,
            Self::Several { .. } => SignerErrorKind::Ambiguous,
        }
    }
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None { present } if present.is_empty() => {
                f.write_str("none fits the URI; there is none at all")
            }
            Self::None { present } => {
                write!(f, "none fits the URI; there is {}", present.join(" and "))
            }
            Self::Several { matching } => write!(
                f,
                "{} fit the URI; say which one: {}",
                matching.len(),
                matching.join(" or ")
            ),
            Self::OtherLibrary => {
                f.write_str("the module is not the one that the URI's library attributes describe")
            }
        }
    }
}

impl std::error::Error for SelectError {}

/// No usable certificate chain on the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// No certificate has the key's public key.
    NoneForKey {
        /// Whether one has the key's `CKA_ID` all the same.
        same_id: bool,
        /// The certificates there are, as URIs.
        present: Vec<String>,
    },
    /// The chain has more than [`crate::limits::MAX_CERTIFICATES`] certificates.
    TooMany,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneForKey { present, .. } if present.is_empty() => f.write_str(
                "there are none; store the chain on the token (pkcs11-tool --write-object leaf.der \
                 --type cert --id ..) or give it as a file",
            ),
            Self::NoneForKey { same_id: true, .. } => f.write_str(
                "the one with the key's CKA_ID belongs to another key (its modulus differs); store the \
                 right one or give the chain as a file",
            ),
            Self::NoneForKey { present, .. } => {
                write!(f, "none is for this key; there is {}", present.join(" and "))
            }
            Self::TooMany => write!(
                f,
                "the chain has more than {} certificates",
                crate::limits::MAX_CERTIFICATES
            ),
        }
    }
}

impl std::error::Error for CertificateError {}
