//! The core's error: one enum, each kind with its own type, `Copy`, and no value of a caller in it.

use thiserror::Error;

use crate::cert::{ChainError, ClockError};
use crate::field::FieldError;
use crate::rsa::{KeyError, SignatureError};

/// Why the core made no assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A value has the wrong shape.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The clock cannot be right, or the certificates are not valid at this time.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The certificate chain is not one, or not one for this scheme.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The signer's public key cannot be used.
    #[error("the signer's key {0}")]
    Key(KeyError),
    /// The leaf certificate is for another key than the signer's.
    #[error(
        "the leaf certificate is for another key than the signer's (RFC 7515 section \
                 4.1.6: the first certificate must contain the key that signs)"
    )]
    KeyMismatch,
    /// The signature is wrong, so nothing was released.
    #[error("{0}; nothing was released")]
    Signature(SignatureError),
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<SignatureError> for Error {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

/// Why signing gave no token: the signer failed, or the core refused what it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[allow(clippy::exhaustive_enums, reason = "there are two sides")]
pub enum SignError<E> {
    /// The signer's own error.
    #[error(transparent)]
    Signer(E),
    /// The core's error.
    #[error(transparent)]
    Token(Error),
}

/// Why streaming a token did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[allow(clippy::exhaustive_enums, reason = "there are two sides")]
pub enum AttachError<E> {
    /// The sink failed midway; what it took is not a token.
    #[error("the token was cut short: {0}")]
    Sink(E),
    /// The core refused before the first byte.
    #[error(transparent)]
    Token(Error),
}
