//! Certificate revocation lists (RFC 5280 section 5), read where they lie.
//!
//! A list is used only if everything about it is understood: a delta list, an indirect one, one that is
//! limited to some reasons, or one with any other critical extension is refused when it is read. Its
//! signature and dates are judged when it is asked about a certificate.

mod extensions;
mod lists;
mod read;

use std::path::Path;

use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, KeyUsage, LinkError};

use super::PkiError;
use super::links::{self, SignatureAlgorithm};
use super::pem::{self, PemError, Wanted};
use crate::base::file;

pub use extensions::Scope;
pub(crate) use lists::RevocationLists;
use read::Content;

/// The largest file of lists, in bytes. National CAs publish lists of some megabytes.
const MAX_FILE: usize = 64 * 1024 * 1024;

/// One revocation list. Nothing is proved yet.
#[derive(Clone, Debug)]
pub struct Crl {
    der: Vec<u8>,
}

/// What a list says about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// It is not on the list, which is of that moment.
    Good {
        /// When the list was issued.
        this_update: UnixTime,
    },
    /// It was revoked.
    Revoked {
        /// When.
        since: UnixTime,
    },
    /// The list says nothing about it: it is about certificates of another issuer, or of another kind.
    NotCovered,
}

/// Why a list cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// Not the DER of a list.
    #[error("the CRL is no DER revocation list (RFC 5280 section 5.1)")]
    Malformed,
    /// A critical extension that is not processed here (RFC 5280 section 5.2).
    #[error(
        "the CRL has a critical extension that is not processed here, as a delta list or an indirect one \
         has (RFC 5280 section 5.2)"
    )]
    CriticalExtension,
    /// Its issuer may not sign lists (cRLSign, RFC 5280 section 4.2.1.3).
    #[error("the CRL is of a CA without key usage cRLSign (RFC 5280 section 4.2.1.3)")]
    IssuerKeyUsage,
    /// Its issuer's key did not sign it.
    #[error("the CRL was not signed by its issuer's key")]
    Signature,
    /// Its signature cannot be judged.
    #[error("the CRL {0}")]
    Unverifiable(LinkError),
    /// It is from the future.
    #[error("the CRL is of {this_update}, which is later than now (RFC 5280 section 5.1.2.4)")]
    NotYetValid {
        /// When it was issued.
        this_update: UnixTime,
    },
    /// A newer one should have come out.
    #[error(
        "the CRL is out of date: the next one was due at {next_update} (RFC 5280 section 5.1.2.5)"
    )]
    Stale {
        /// When.
        next_update: UnixTime,
    },
}

impl Crl {
    /// Reads one DER list.
    ///
    /// # Errors
    ///
    /// [`CrlError::Malformed`] and [`CrlError::CriticalExtension`].
    pub fn from_der(der: Vec<u8>) -> Result<Self, CrlError> {
        Content::read(&der)?;
        Ok(Self { der })
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
        Content::read(&self.der).is_ok_and(|list| list.issuer == certificate.issuer().as_der())
    }

    /// What the list says about `certificate`, which `issuer` issued, at `now`.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if the list cannot be believed at that moment.
    pub fn status(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        now: UnixTime,
    ) -> Result<Revocation, CrlError> {
        let list = Content::read(&self.der)?;
        let names_match = list.issuer == certificate.issuer().as_der()
            && list.issuer == issuer.subject().as_der();
        if !names_match || !list.scope.covers(certificate.is_ca()) {
            return Ok(Revocation::NotCovered);
        }
        list.check_signature(issuer)?;
        list.check_dates(now)?;
        Ok(match list.revoked_since(certificate.serial())? {
            Some(since) => Revocation::Revoked { since },
            None => Revocation::Good {
                this_update: list.this_update,
            },
        })
    }
}

impl Content<'_> {
    fn check_signature(&self, issuer: &Certificate<'_>) -> Result<(), CrlError> {
        if issuer
            .key_usages()
            .is_some_and(|usages| !usages.has(KeyUsage::CrlSign))
        {
            return Err(CrlError::IssuerKeyUsage);
        }
        SignatureAlgorithm::from_oid(&self.algorithm)
            .ok_or(LinkError::UnknownAlgorithm)
            .and_then(|algorithm| links::verify(algorithm, self.tbs, self.signature, issuer))
            .map_err(|error| match error {
                LinkError::BadSignature => CrlError::Signature,
                error => CrlError::Unverifiable(error),
            })
    }

    fn check_dates(&self, now: UnixTime) -> Result<(), CrlError> {
        let this_update = self.this_update;
        if now < this_update {
            return Err(CrlError::NotYetValid { this_update });
        }
        match self.next_update {
            Some(next_update) if now > next_update => Err(CrlError::Stale { next_update }),
            _ => Ok(()),
        }
    }
}
