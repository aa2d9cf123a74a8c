//! Certificate revocation lists (RFC 5280 section 5), read where they lie.
//!
//! A list is used only if everything about it is understood: a delta list, an indirect one, one that is
//! limited to some reasons, or one with any other critical extension is refused when it is read. Its
//! signature and dates are judged when it is asked about a certificate.

mod extensions;
mod read;

use std::path::{Path, PathBuf};

use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, KeyUsage, LinkError};
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;

use crate::error::Error;
use crate::pki::certificates::read_file;
use crate::pki::links::{self, SignatureAlgorithm};

pub use extensions::Scope;
use read::Content;

/// The largest file of lists, in bytes. National CAs publish lists of some megabytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrlError {
    /// Not the DER of a list.
    Malformed,
    /// A critical extension that is not processed here (RFC 5280 section 5.2).
    CriticalExtension,
    /// Its issuer may not sign lists (cRLSign, RFC 5280 section 4.2.1.3).
    IssuerKeyUsage,
    /// Its issuer's key did not sign it, or the algorithm is not known.
    Signature(LinkError),
    /// It is from the future.
    NotYetValid {
        /// When it was issued.
        this_update: UnixTime,
    },
    /// A newer one should have come out.
    Stale {
        /// When.
        next_update: UnixTime,
    },
}

impl Crl {
    /// Reads one DER list.
    pub fn from_der(der: Vec<u8>) -> Result<Self, CrlError> {
        Content::read(&der)?;
        Ok(Self { der })
    }

    /// Reads a file with one or more PEM lists, or one in DER.
    pub fn from_file(path: &Path) -> Result<Vec<Self>, Error> {
        let content = read_file(path, MAX_FILE)?;
        let unusable = |reason: String| Error::FileContent {
            path: PathBuf::from(path),
            reason,
        };
        let lists = if content.first() == Some(&0x30) {
            vec![content]
        } else {
            CertificateRevocationListDer::pem_slice_iter(&content)
                .map(|list| list.map(|der| der.to_vec()))
                .collect::<Result<_, _>>()
                .map_err(|_| unusable("has a PEM list that is cut off or is not base64".into()))?
        };
        if lists.is_empty() {
            return Err(unusable(
                "holds no revocation list, neither DER nor PEM (X509 CRL)".into(),
            ));
        }
        lists
            .into_iter()
            .map(|der| Self::from_der(der).map_err(|error| unusable(error.to_string())))
            .collect()
    }

    /// Whether this list is of the CA that issued `certificate`.
    pub fn is_of_issuer_of(&self, certificate: &Certificate<'_>) -> bool {
        Content::read(&self.der).is_ok_and(|list| list.issuer == certificate.issuer().as_der())
    }

    /// What the list says about `certificate`, which `issuer` issued, at `now`; an error if the list
    /// cannot be believed then.
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
            .map_err(CrlError::Signature)
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

impl core::fmt::Display for CrlError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Malformed => f.write_str("is no DER revocation list (RFC 5280 section 5.1)"),
            Self::CriticalExtension => f.write_str(
                "has a critical extension that is not processed here, as a delta list or an \
                 indirect one has (RFC 5280 section 5.2)",
            ),
            Self::IssuerKeyUsage => {
                f.write_str("is of a CA without key usage cRLSign (RFC 5280 section 4.2.1.3)")
            }
            Self::Signature(LinkError::BadSignature) => {
                f.write_str("was not signed by its issuer's key")
            }
            Self::Signature(error) => error.fmt(f),
            Self::NotYetValid { this_update } => {
                write!(
                    f,
                    "is of {this_update}, which is later than now (RFC 5280 section 5.1.2.4)"
                )
            }
            Self::Stale { next_update } => write!(
                f,
                "is out of date: the next one was due at {next_update} (RFC 5280 section 5.1.2.5)"
            ),
        }
    }
}

impl core::error::Error for CrlError {}
