//! What can be wrong with one certificate.

use core::fmt;
use thiserror::Error;

use crate::limits::MAX_EXTENSIONS;

/// Why one certificate could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not the DER of an X.509 certificate; the parser stopped at this byte.
    #[error("is not a DER certificate (RFC 5280){}", Stopped(*.offset))]
    Malformed {
        /// Bytes from the start of the certificate, where the parser knows.
        offset: Option<u32>,
    },
    /// The algorithm inside and outside the signed part differ (RFC 5280 section 4.1.1.2).
    #[error(
        "names two different signature algorithms inside and outside (RFC 5280 section 4.1.1.2)"
    )]
    AlgorithmMismatch,
    /// A version that does not exist, or that has not the fields that are there (RFC 5280 section 4.1.2.1).
    #[error("has a version that does not exist or lacks its fields (RFC 5280 section 4.1.2.1)")]
    Version,
    /// More than 32 extensions.
    #[error("has more than {max} extensions", max = MAX_EXTENSIONS)]
    Extensions,
    /// The same extension stands twice (RFC 5280 section 4.2).
    #[error("has the same extension twice (RFC 5280 section 4.2)")]
    DuplicateExtension,
}

/// Where a parser stopped, if it knows.
struct Stopped(Option<u32>);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |offset| write!(f, ", as byte {offset} shows"))
    }
}

impl From<der::Error> for CertificateError {
    fn from(error: der::Error) -> Self {
        Self::Malformed {
            offset: error.position().map(u32::from),
        }
    }
}
