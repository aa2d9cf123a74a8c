//! Certificate revocation lists (RFC 5280 section 5): read and indexed once, asked often.
//!
//! A list with a critical extension that is not processed here is refused when it is read. Its signature and dates
//! are judged when it is asked about a certificate.

mod points;
mod read;

use std::path::Path;
use std::sync::Arc;

use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;

use super::PkiError;
use super::path::NormalName;
use super::pem::{self, PemError, Wanted};
use crate::base::file;

pub use super::crl_error::CrlError;
pub(super) use points::{ALL_REASONS, Point};
pub(super) use read::{Content, Found};

/// The largest file of lists, in bytes. National CAs publish lists of some megabytes.
pub const MAX_FILE: usize = 64 * 1024 * 1024;

/// One revocation list. Nothing is proved yet. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct Crl(pub(super) Arc<Content>);

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
