//! Public keys as JSON (RFC 7517): those by which a token is verified, and those that are published.

mod builder;
mod key_set;
mod kid;

use std::path::PathBuf;

use privyseal_core::field::FieldError;

use crate::base::BaseError;
use crate::pki::PkiError;

pub use builder::JwkSetBuilder;
pub use key_set::{KeySet, KeySetError};
pub use kid::{KidChoice, KidForm};

/// Why there is no JWK Set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// A file cannot be read.
    #[error("{0}")]
    File(#[from] BaseError),
    /// A file can be read, but does not hold what it should.
    #[error("{} cannot be used: {error}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: KeySetError,
    },
    /// A receiver could not tell two keys apart.
    #[error("{kid} is the kid of two keys of the set (RFC 7517 section 4.5)")]
    DuplicateKid {
        /// The name that both have.
        kid: String,
    },
    /// The certificates are no chain.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The core refused: a `kid`, or the leaf of `x5c`, which is for another key.
    #[error("{0}")]
    Core(#[from] privyseal_core::Error),
}

privyseal_hsm::by_way! { privyseal_core::Error => JwkError: FieldError; }
