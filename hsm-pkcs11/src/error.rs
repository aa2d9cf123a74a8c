//! What can go wrong, in words that say what to do.
//!
//! Every failed call of the module is a [`CallError`]: which function, which return value, and advice.
//! The variants around it say what this crate wanted at that moment.

mod call;
mod display;
mod key;
mod kind;
mod select;

use std::path::PathBuf;
use std::time::Duration;

pub use call::CallError;
pub use key::KeyError;
pub use select::{CertificateError, SelectError};

use privyseal_core::KeyEncryption;

use crate::pin::PinUnavailable;
use crate::slot::PinState;
use crate::uri::UriError;

/// An error of the PKCS #11 signer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URI is malformed or says too little.
    Uri(UriError),
    /// The module cannot be loaded.
    Module {
        /// Its path.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// No token, or more than one, fits the URI.
    Token(SelectError),
    /// No key, or more than one, fits the URI.
    KeySelection(SelectError),
    /// The key cannot be used.
    Key {
        /// The key, as a URI.
        key: String,
        /// Why not.
        reason: KeyError,
    },
    /// No certificate chain can be read from the token.
    Certificates(CertificateError),
    /// A PIN is needed and there is none. No try was spent.
    PinUnavailable {
        /// Label of the token.
        token: String,
        /// Why there is none.
        reason: PinUnavailable,
    },
    /// The PIN is wrong. One try was spent.
    PinIncorrect {
        /// Label of the token.
        token: String,
        /// What the token's flags say after the try.
        now: PinState,
        /// The call.
        call: CallError,
    },
    /// The PIN is locked. No try was spent, or the token said so at the one that was.
    PinLocked {
        /// Label of the token.
        token: String,
        /// The call that said so; None if the flags did, before any call was made.
        call: Option<CallError>,
    },
    /// One try is left, or nobody can tell how many. It was not spent.
    PinFinalTry {
        /// Label of the token.
        token: String,
        /// What the flags say: [`PinState::FinalTry`] or [`PinState::Unknown`].
        state: PinState,
    },
    /// The token has no user PIN yet.
    PinNotInitialized {
        /// Label of the token.
        token: String,
    },
    /// The module gave a signature of another length than the key makes. It was thrown away.
    SignatureLength {
        /// Bytes it gave.
        len: usize,
        /// Bytes of the modulus.
        expected: usize,
    },
    /// A content encryption key cannot be decrypted: it was encrypted to another key, or changed.
    Undecipherable,
    /// The token does not decrypt what is encrypted in this way.
    KeyEncryption {
        /// The way.
        algorithm: KeyEncryption,
        /// The call that said so.
        call: CallError,
    },
    /// A call of the module failed.
    Call(CallError),
    /// The token gave a session for the login, and none to use the key with.
    OneSession {
        /// Label of the token.
        token: String,
        /// The call.
        call: CallError,
    },
    /// A login is needed that nobody asked for, and a try was lost since the last right PIN: it is left to a
    /// person. No try was spent.
    PinCountLow {
        /// Label of the token.
        token: String,
    },
    /// Something was lost, and getting it back failed too.
    NotHealed {
        /// What was noticed first.
        first: Box<Error>,
        /// What kept it from being healed.
        then: Box<Error>,
    },
    /// The session of the token was lost earlier and could not be had again yet.
    Disconnected,
    /// The key that the URI names is another one than it was.
    KeyChanged,
    /// Only initializing the module anew could help, and another part of the process initialized it.
    ForeignModule,
    /// Only initializing the module anew could help, and calls to it are under way that do not end.
    ModuleInUse,
    /// Another thread is logging in or initializing the module anew, and has not come to an end.
    TokenBusy {
        /// How long was waited for it.
        waited: Duration,
    },
    /// This process is a child of the one that opened the key.
    Forked {
        /// The process that opened it.
        opened_in: u32,
    },
    /// All sessions of the pool were in use for as long as the pool waits.
    PoolTimeout {
        /// How many there are.
        sessions: u32,
        /// How long was waited.
        waited: Duration,
    },
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Uri(error) => Some(error),
            Self::Token(error) | Self::KeySelection(error) => Some(error),
            Self::Key { reason, .. } => Some(reason),
            Self::Certificates(error) => Some(error),
            Self::PinUnavailable { reason, .. } => Some(reason),
            Self::PinIncorrect { call, .. }
            | Self::KeyEncryption { call, .. }
            | Self::OneSession { call, .. } => Some(call),
            Self::PinLocked { call, .. } => call.as_ref().map(|call| call as _),
            Self::Call(error) => Some(error),
            Self::NotHealed { then, .. } => Some(&**then),
            _ => None,
        }
    }
}

impl From<UriError> for Error {
    fn from(error: UriError) -> Self {
        Self::Uri(error)
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<CertificateError> for Error {
    fn from(error: CertificateError) -> Self {
        Self::Certificates(error)
    }
}
