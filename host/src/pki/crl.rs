//! Certificate revocation lists (RFC 5280 section 5): read and indexed once, asked often.
//!
//! A list with a critical extension that is not processed here is refused when it is read. Its signature and dates
//! are judged when it is asked about a certificate.

mod points;
mod read;
mod status;

use std::path::Path;
use std::sync::Arc;

use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;

use super::PkiError;
use super::path::NormalName;
use super::pem::{self, PemError, Wanted};
use crate::base::file;

use read::Content;
pub use status::{FetchRevocation, RevocationCheck, RevocationOptions, RevocationPlaces};

/// The largest file of lists, in bytes. National CAs publish lists of some megabytes.
const MAX_FILE: usize = 64 * 1024 * 1024;

/// How long a list without nextUpdate is believed, in seconds: seven days, the longest that the CA/Browser Forum's
/// baseline requirements (section 4.9.7) let pass between two lists.
const MAX_AGE_WITHOUT_NEXT_UPDATE: u64 = 7 * 24 * 3600;

/// One revocation list. Nothing is proved yet. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct Crl(Arc<Content>);

/// What is known about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// It was not revoked at that moment.
    Good {
        /// When the list was issued.
        this_update: UnixTime,
    },
    /// It was revoked.
    Revoked {
        /// When.
        since: UnixTime,
    },
    /// Nothing that was given tells.
    Unknown(Unknown),
}

/// Why nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unknown {
    /// No list is about it: by issuer, kind of certificate and distribution point (RFC 5280 section 6.3.3 (b)).
    #[error("no CRL that was given covers it (RFC 5280 section 6.3.3)")]
    NotCovered,
    /// The lists that are about it are about other reasons.
    #[error("the CRLs that were given cover some reasons only (RFC 5280 section 5.2.5)")]
    SomeReasons,
    /// The list is of nobody who may issue it, or not signed by its issuer's key.
    #[error(
        "its CRL or OCSP response was not signed by a key that may sign it (RFC 5280 section 6.3.3, RFC 6960 section 4.2.2.2)"
    )]
    Signature,
    /// No OCSP responder, and no place of lists, gave something that can be read.
    #[error("no OCSP response came that can be read (RFC 6960)")]
    Responder,
    /// The OCSP response is to another request.
    #[error("its OCSP response has the nonce of another request (RFC 6960 section 4.4.1)")]
    Replayed,
    /// The list is from the future.
    #[error(
        "its CRL or OCSP response is of {this_update}, which is later than now (RFC 5280 section 5.1.2.4)"
    )]
    NotYetValid {
        /// When it was issued.
        this_update: UnixTime,
    },
    /// A newer one should have come out.
    #[error(
        "its CRL or OCSP response is out of date: the next one was due at {next_update} (RFC 5280 section 5.1.2.5)"
    )]
    Stale {
        /// When.
        next_update: UnixTime,
    },
}

/// Why a list cannot be used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// Not the DER of a list.
    #[error("the CRL is no DER revocation list (RFC 5280 section 5.1)")]
    Malformed,
    /// A critical extension that is not processed here (RFC 5280 section 5.2).
    #[error(
        "the CRL has a critical extension that is not processed here (RFC 5280 sections 5.2 and 5.3)"
    )]
    CriticalExtension,
}

impl Crl {
    /// Reads one DER list.
    ///
    /// # Errors
    ///
    /// [`CrlError`].
    pub fn from_der(der: Vec<u8>) -> Result<Self, CrlError> {
        Ok(Self(Arc::new(Content::read(der)?)))
    }

    /// Reads a file with one or more PEM lists (`X509 CRL`), or one in DER, of 64 MiB at most.
    ///
    /// # Errors
    ///
    /// [`PkiError::File`] and [`PkiError::Content`], which name the file.
    pub fn from_file(path: &Path) -> Result<Vec<Self>, PkiError> {
        let content = file::read(path, MAX_FILE)?;
        Self::from_bytes(&content).map_err(|fault| PkiError::Content {
            path: path.to_owned(),
            fault,
        })
    }

    /// Reads the content of such a file.
    ///
    /// # Errors
    ///
    /// [`PemError`] if there is no list, or if one of several cannot be read.
    pub fn from_bytes(content: &[u8]) -> Result<Vec<Self>, PemError> {
        let wanted = Wanted {
            label: "X509 CRL",
            name: "revocation list",
        };
        let lists = pem::read(content, wanted)?.into_iter();
        lists.map(|der| Ok(Self::from_der(der)?)).collect()
    }

    /// Whether this list is of the CA that issued `certificate`.
    pub fn is_of_issuer_of(&self, certificate: &Certificate<'_>) -> bool {
        NormalName::from_der(certificate.issuer().as_der())
            .is_ok_and(|issuer| issuer == self.0.issuer)
    }

    /// When it is to be replaced, where it says so.
    pub fn next_update(&self) -> Option<UnixTime> {
        self.0.next_update
    }
}
