//! Why there is no chain.

use crate::limits::{MAX_CERTIFICATE, MAX_CERTIFICATES};

/// Why there is no certificate chain from the device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No opaque object has the label.
    #[error(
        "no opaque object is labelled {label:?} (in the domains of the authentication key), and \
         cert-ids names none"
    )]
    NoneLabelled {
        /// The label.
        label: String,
    },
    /// Neither ids nor a label were given and the key has no label to go by.
    #[error(
        "the key has no label to find its certificates by, and neither cert-ids nor cert-label names them"
    )]
    NotNamed,
    /// More opaque objects have the label than a chain has certificates.
    #[error(
        "{count} opaque objects are labelled {label:?}, a chain has at most {MAX_CERTIFICATES} certificates"
    )]
    TooMany {
        /// The label.
        label: String,
        /// How many.
        count: usize,
    },
    /// An opaque object that is needed is not there.
    #[error("opaque object {id} is not there (or not in the domains of the authentication key)")]
    NotFound {
        /// Its id.
        id: u16,
    },
    /// It holds neither DER nor gzipped DER of one certificate.
    #[error("opaque object {id} holds no certificate, neither DER nor gzipped DER")]
    NotACertificate {
        /// Its id.
        id: u16,
    },
    /// It is gzipped and would grow beyond 16 KiB.
    #[error("opaque object {id} would unpack to more than {MAX_CERTIFICATE} bytes")]
    TooLarge {
        /// Its id.
        id: u16,
    },
}
