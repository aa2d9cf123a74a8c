//! The core's error: one enum, each kind with its own type, `Copy`, and no value of a caller in it.

use core::fmt;

use crate::cert::{ChainError, ClockError};
use crate::field::FieldError;
use crate::rsa::{KeyError, SignatureError};

/// Why the core made no assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A value has the wrong shape.
    Field(FieldError),
    /// The clock cannot be right, or the certificates are not valid at this time.
    Clock(ClockError),
    /// The certificate chain is not one, or not one for this scheme.
    Chain(ChainError),
    /// The signer's public key cannot be used.
    Key(KeyError),
    /// The leaf certificate is for another key than the signer's.
    KeyMismatch,
    /// The signature is wrong, so nothing was released.
    Signature(SignatureError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(error) => error.fmt(f),
            Self::Clock(error) => error.fmt(f),
            Self::Chain(error) => error.fmt(f),
            Self::Key(error) => write!(f, "the signer's key {error}"),
            Self::KeyMismatch => f.write_str(
                "the leaf certificate is for another key than the signer's (RFC 7515 section \
                 4.1.6: the first certificate must contain the key that signs)",
            ),
            Self::Signature(error) => write!(f, "{error}; nothing was released"),
        }
    }
}

impl core::error::Error for Error {}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl From<ClockError> for Error {
    fn from(error: ClockError) -> Self {
        Self::Clock(error)
    }
}

impl From<ChainError> for Error {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignError<E> {
    /// The signer's own error.
    Signer(E),
    /// The core's error.
    Token(Error),
}

impl<E: fmt::Display> fmt::Display for SignError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signer(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for SignError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Signer(error) => error.source(),
            Self::Token(error) => error.source(),
        }
    }
}

/// Why streaming a token did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachError<E> {
    /// The sink failed midway; what it took is not a token.
    Sink(E),
    /// The core refused before the first byte.
    Token(Error),
}

impl<E: fmt::Display> fmt::Display for AttachError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sink(error) => write!(f, "the token was cut short: {error}"),
            Self::Token(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for AttachError<E> {}
