//! What can go wrong, in words that say what to do.
//!
//! Every failed call of the module is a [`CallError`]: which function, which return value, and advice.
//! The variants around it say what this crate wanted at that moment.

mod call;
mod key;
mod kind;
mod select;

use std::fmt;
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(error) => write!(f, "{error}"),
            Self::Module { path, reason } => write!(
                f,
                "PKCS #11 module {} cannot be loaded: {reason}; check module-path",
                path.display()
            ),
            Self::Token(error) => write!(f, "token: {error}"),
            Self::KeySelection(error) => write!(f, "key: {error}"),
            Self::Key { key, reason } => write!(f, "key {key} {reason}"),
            Self::Certificates(error) => write!(f, "certificates on the token: {error}"),
            Self::PinUnavailable { token, reason } => write!(
                f,
                "token \"{token}\" needs a PIN: {reason} (no try was spent; give pin-source in the \
                 URI's query)"
            ),
            Self::PinIncorrect { token, now, call } => write!(
                f,
                "{call}: the PIN of token \"{token}\" is wrong; one try was spent, {}",
                after_try(*now)
            ),
            Self::PinLocked { token, call } => {
                if let Some(call) = call {
                    write!(f, "{call}: ")?;
                }
                write!(
                    f,
                    "the PIN of token \"{token}\" is locked (CKF_USER_PIN_LOCKED); its security officer \
                     can unlock it (pkcs11-tool --init-pin)"
                )
            }
            Self::PinFinalTry {
                token,
                state: PinState::Unknown,
            } => write!(
                f,
                "the flags of token \"{token}\" cannot be read, so nobody can tell how many PIN tries \
                 are left; none was spent (allow the final try only if the PIN is certain)"
            ),
            Self::PinFinalTry { token, .. } => write!(
                f,
                "token \"{token}\" has one PIN try left (CKF_USER_PIN_FINAL_TRY); it was not spent \
                 (allow the final try only if the PIN is certain)"
            ),
            Self::PinNotInitialized { token } => write!(
                f,
                "C_Login: CKR_USER_PIN_NOT_INITIALIZED: token \"{token}\" has no user PIN yet; \
                 pkcs11-tool --init-pin sets one"
            ),
            Self::SignatureLength { len, expected } => write!(
                f,
                "C_Sign gave {len} bytes, the key makes {expected}; nothing was released, check the \
                 module"
            ),
            Self::Undecipherable => f.write_str(
                "the content encryption key cannot be decrypted: it was encrypted to another key, or \
                 changed",
            ),
            Self::KeyEncryption { algorithm, call } => write!(
                f,
                "{call}: the token does not decrypt {algorithm} (CKM_RSA_PKCS_OAEP with {}); register \
                 the key for another algorithm, or use a token that knows this one",
                match algorithm {
                    KeyEncryption::RsaOaep => "SHA-1",
                    KeyEncryption::RsaOaep256 => "SHA-256",
                }
            ),
            Self::Call(error) => write!(f, "{error}{}", error.advice()),
            Self::OneSession { token, call } => write!(
                f,
                "{call}: token \"{token}\" gave one session, and two are needed: one keeps the login, one \
                 uses the key; close other programs' sessions, or use a token that has more \
                 (ulMaxSessionCount)"
            ),
            Self::PinCountLow { token } => write!(
                f,
                "token \"{token}\" is not logged in to again: a wrong PIN was given since the last right \
                 one (CKF_USER_PIN_COUNT_LOW); open the key again with the right one"
            ),
            Self::NotHealed { first, then } => write!(f, "{first}; then {then}"),
            Self::Disconnected => f.write_str("the session of the token was lost"),
            Self::KeyChanged => f.write_str(
                "the key that the URI names is another one than it was (its modulus differs); open it \
                 again",
            ),
            Self::ForeignModule => f.write_str(
                "only initializing the module anew can help, and another part of this process \
                 initialized it: restart the process",
            ),
            Self::ModuleInUse => f.write_str(
                "only initializing the module anew can help, and calls to it are under way that do not \
                 end: try later or restart the process",
            ),
            Self::TokenBusy { waited } => write!(
                f,
                "another thread logs in to the token or initializes its module anew, and was not done \
                 after {} ms: try later; if that does not end, restart the process",
                waited.as_millis()
            ),
            Self::Forked { opened_in } => write!(
                f,
                "the key was opened by process {opened_in} and this one is its child: a forked process \
                 must open its own"
            ),
            Self::PoolTimeout { sessions, waited } => write!(
                f,
                "all {sessions} sessions of the pool were in use for {} ms; raise max-sessions or sign \
                 less at once",
                waited.as_millis()
            ),
        }
    }
}

const fn after_try(now: PinState) -> &'static str {
    match now {
        PinState::Ok => "the token reports no shortage of tries",
        PinState::CountLow => "some tries are lost already (CKF_USER_PIN_COUNT_LOW)",
        PinState::FinalTry => "ONE TRY IS LEFT (CKF_USER_PIN_FINAL_TRY)",
        PinState::Locked => "the PIN is locked now (CKF_USER_PIN_LOCKED)",
        PinState::Unknown => "the token does not say how many are left",
    }
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
