//! Why a key cannot sign, or has no chain.

use std::fmt;

use privyseal_core::rsa;

use crate::limits::{MAX_CERTIFICATE, MAX_CERTIFICATES};

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// It is not an RSA key.
    NotRsa,
    /// It lacks the capability `sign-pkcs`.
    MayNotSign,
    /// The authentication key of the session lacks the capability `sign-pkcs`.
    SessionMayNotSign {
        /// The authentication key.
        auth_key: u16,
    },
    /// The public key is not one that signs assertions.
    PublicKey(rsa::KeyError),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRsa => f.write_str("is not an RSA key (RFC 7518 section 3.3: RS256)"),
            Self::MayNotSign => f.write_str(
                "may not sign: it lacks the capability sign-pkcs; capabilities cannot be added later",
            ),
            Self::SessionMayNotSign { auth_key } => write!(
                f,
                "may not be used: authentication key {auth_key} lacks the capability sign-pkcs"
            ),
            Self::PublicKey(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeyError {}

/// Why there is no certificate chain from the device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// No opaque object has the label.
    NoneLabelled {
        /// The label.
        label: String,
    },
    /// Neither ids nor a label were given and the key has no label to go by.
    NotNamed,
    /// More opaque objects have the label than a chain has certificates.
    TooMany {
        /// The label.
        label: String,
        /// How many.
        count: usize,
    },
    /// An opaque object that is needed is not there.
    NotFound {
        /// Its id.
        id: u16,
    },
    /// It holds neither DER nor gzipped DER of one certificate.
    NotACertificate {
        /// Its id.
        id: u16,
    },
    /// It is gzipped and would grow beyond [`MAX_CERTIFICATE`] bytes.
    TooLarge {
        /// Its id.
        id: u16,
    },
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneLabelled { label } => write!(
                f,
                "no opaque object is labelled {label:?} (in the domains of the authentication key); name \
                 them with cert-ids or cert-label, or give the chain as a file"
            ),
            Self::NotNamed => f.write_str(
                "the key has no label to find its certificates by; name them with cert-ids or \
                 cert-label, or give the chain as a file",
            ),
            Self::TooMany { label, count } => write!(
                f,
                "{count} opaque objects are labelled {label:?}, a chain has at most {MAX_CERTIFICATES} \
                 certificates; name them with cert-ids"
            ),
            Self::NotFound { id } => write!(
                f,
                "opaque object {id} is not there (or not in the domains of the authentication key)"
            ),
            Self::NotACertificate { id } => write!(
                f,
                "opaque object {id} holds no certificate, neither DER nor gzipped DER"
            ),
            Self::TooLarge { id } => write!(
                f,
                "opaque object {id} would unpack to more than {MAX_CERTIFICATE} bytes"
            ),
        }
    }
}

impl std::error::Error for CertificateError {}
