//! Why certificates, lists and names cannot be used.

use std::path::PathBuf;

use privyseal_core::cert::ChainError;
use privyseal_core::field::FieldError;

use super::path::PathError;
use super::pem::PemError;
use crate::base::BaseError;

/// Why there is no chain, no revocation list or no client id.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// A file cannot be read.
    #[error("{0}")]
    File(#[from] BaseError),
    /// A file can be read, but does not hold what it should.
    #[error("{} cannot be used: {fault}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: PemError,
    },
    /// The core refused: the chain, a client id, or a part of a subject name.
    #[error("{0}")]
    Core(#[from] privyseal_core::Error),
    /// There is no one chain, or it does not hold.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A text is no distinguished name; what is wrong with it.
    #[error(
        "the subject {0}; a name is CN=Name,O=Org,C=NL or /C=NL/O=Org/CN=Name (RFC 4514 section 3)"
    )]
    Subject(String),
    /// The leaf does not say the client id that the scheme derives from it.
    #[error("the leaf has no organizationIdentifier (2.5.4.97) to derive the client id from")]
    NoOrganizationIdentifier,
    /// The leaf has an organizationIdentifier from which no party id of iSHARE can be made: of another form, or without
    /// a country (a global LEI).
    #[error(
        "the leaf's organizationIdentifier is {found:?}; a party id is derived from three capital letters, a country with \
         EU registers, a hyphen and an identifier (ETSI EN 319 412-1 section 5.1.4; iSHARE, party identifiers)"
    )]
    OrganizationIdentifier {
        /// What it says, made safe for display.
        found: String,
    },
    /// No client id was given, and the scheme derives none.
    #[error(
        "{title} hands the client id out; the certificate does not say it ({section}), so it must be given"
    )]
    NoClientId {
        /// The scheme.
        title: &'static str,
        /// The document and section that say so.
        section: &'static str,
    },
}

privyseal_hsm::by_way! { privyseal_core::Error => PkiError: FieldError, ChainError; }
