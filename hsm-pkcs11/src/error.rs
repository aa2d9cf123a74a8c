//! What can go wrong.
//!
//! Every failed call of the module is a [`CallError`]: which function, which return value. The variants
//! around it say what this crate wanted at that moment.

mod call;
mod kind;
mod select;

use std::path::PathBuf;
use std::time::Duration;

pub use call::CallError;
use privyseal_core::KeyEncryption;
use privyseal_hsm::uri::UriError;
use privyseal_hsm::{KeyUnfit, PinState, SecretUnavailable};
pub(crate) use select::first;
pub use select::{CertificateError, SelectError};

/// An error of the PKCS #11 signer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URI is malformed or says too little.
    #[error("{0}")]
    Uri(#[from] UriError),
    /// The module cannot be loaded.
    #[error("PKCS #11 module {} cannot be loaded: {reason}", .path.display())]
    Module {
        /// Its path.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// The module cannot be loaded and initialized in time.
    #[error(
        "PKCS #11 module {} hangs: it was not loaded and initialized after {} s",
        .path.display(), .waited.as_secs()
    )]
    ModuleHangs {
        /// Its path.
        path: PathBuf,
        /// How long was waited for it.
        waited: Duration,
    },
    /// The module ends a process that loads and initializes it, so it is not loaded here.
    #[error("PKCS #11 module {} is left out: {reason}; the URI can name another", .path.display())]
    ModuleCrashes {
        /// Its path.
        path: PathBuf,
        /// How that process ended.
        reason: String,
    },
    /// No token, or more than one, fits the URI.
    #[error("token: {0}")]
    Token(#[source] SelectError),
    /// No key, or more than one, fits the URI.
    #[error("key: {0}")]
    KeySelection(#[source] SelectError),
    /// The key cannot be used.
    #[error("key {key} {reason}")]
    Key {
        /// The key, as a URI.
        key: String,
        /// Why not.
        #[source]
        reason: KeyUnfit,
    },
    /// No certificate chain can be read from the token.
    #[error("certificates on the token: {0}")]
    Certificates(#[from] CertificateError),
    /// What would be made is there already.
    #[error("{object} is on the token already; nothing was changed")]
    Taken {
        /// What is there, as a URI.
        object: String,
    },
    /// The token made a key that is used without the PIN.
    #[error(
        "key {key} is on the token now, but does not want the PIN for every use: the token ignores \
         CKA_ALWAYS_AUTHENTICATE"
    )]
    NotAlwaysAuthenticate {
        /// The key, as a URI.
        key: String,
    },
    /// There is no randomness for a new `CKA_ID`.
    #[error("no randomness for a new CKA_ID: {reason}")]
    Randomness {
        /// The system's reason.
        reason: String,
    },
    /// A PIN is needed and there is none. No try was spent.
    #[error("token {token:?} needs a PIN: {reason} (no try was spent)")]
    PinUnavailable {
        /// Label of the token.
        token: String,
        /// Why there is none.
        #[source]
        reason: SecretUnavailable,
    },
    /// The PIN is wrong. One try was spent.
    #[error(
        "{call}: the PIN of token {token:?} is wrong; one try was spent, {}",
        after_try(*.now)
    )]
    PinIncorrect {
        /// Label of the token.
        token: String,
        /// What the token's flags say after the try.
        now: PinState,
        /// The call.
        #[source]
        call: CallError,
    },
    /// The PIN is locked. No try was spent, or the token said so at the one that was.
    #[error("{}the PIN of token {token:?} is locked (CKF_USER_PIN_LOCKED)", said_by(.call.as_ref()))]
    PinLocked {
        /// Label of the token.
        token: String,
        /// The call that said so; None if the flags did, before any call was made.
        #[source]
        call: Option<CallError>,
    },
    /// One try is left, or how many is unknown. It was not spent.
    #[error("{}", final_try(.token, *.state))]
    PinFinalTry {
        /// Label of the token.
        token: String,
        /// What the flags say: [`PinState::FinalTry`] or [`PinState::Unknown`].
        state: PinState,
    },
    /// The token has no user PIN yet.
    #[error("C_Login: CKR_USER_PIN_NOT_INITIALIZED: token {token:?} has no user PIN yet")]
    PinNotInitialized {
        /// Label of the token.
        token: String,
    },
    /// A login is needed that no caller asked for, and a try was lost since the last right PIN: it is left to a
    /// person. No try was spent.
    #[error(
        "token {token:?} is not logged in to again: a wrong PIN was given since the last right one \
         (CKF_USER_PIN_COUNT_LOW)"
    )]
    PinCountLow {
        /// Label of the token.
        token: String,
    },
    /// The module gave a signature of another length than the key makes. It was thrown away.
    #[error("C_Sign gave {len} bytes, the key makes {expected}; nothing was released")]
    SignatureLength {
        /// Bytes it gave.
        len: usize,
        /// Bytes of the modulus.
        expected: usize,
    },
    /// A content encryption key cannot be decrypted: it was encrypted to another key, or changed.
    #[error(
        "the content encryption key cannot be decrypted: it was encrypted to another key, or changed"
    )]
    Undecipherable,
    /// The token does not decrypt what is encrypted in this way.
    #[error(
        "{call}: the token does not decrypt {algorithm} (CKM_RSA_PKCS_OAEP with {})",
        hash(*.algorithm)
    )]
    KeyEncryption {
        /// The way.
        algorithm: KeyEncryption,
        /// The call that said so.
        #[source]
        call: CallError,
    },
    /// A call of the module failed.
    #[error("{}{}", .0, .0.meaning())]
    Call(#[from] CallError),
    /// The token gave a session for the login, and none to use the key with.
    #[error(
        "{call}: token {token:?} gave one session, and two are needed: one keeps the login, one uses \
         the key"
    )]
    OneSession {
        /// Label of the token.
        token: String,
        /// The call.
        #[source]
        call: CallError,
    },
    /// Something was lost, and getting it back failed too.
    #[error("{first}; then {then}")]
    RecoveryFailed {
        /// What was noticed first.
        first: Box<Error>,
        /// What kept it from being recovered.
        #[source]
        then: Box<Error>,
    },
    /// The session of the token was lost earlier and could not be had again yet.
    #[error("the session of the token was lost")]
    Disconnected,
    /// The key that the URI names is another one than it was.
    #[error("the key that the URI names is another one than it was (its modulus differs)")]
    KeyChanged,
    /// Only initializing the module again could help, and another part of the process initialized it.
    #[error(
        "only initializing the module again can help, and another part of this process initialized it"
    )]
    ForeignModule,
    /// Only initializing the module again could help, and calls to it are under way that do not end.
    #[error(
        "only initializing the module again can help, and calls to it are under way that do not end"
    )]
    ModuleInUse,
    /// Another thread is logging in or initializing the module again, and has not come to an end.
    #[error(
        "another thread logs in to the token or initializes its module again, and was not done after \
         {} ms",
        .waited.as_millis()
    )]
    TokenBusy {
        /// How long was waited for it.
        waited: Duration,
    },
    /// This process is a child of the one that opened the key.
    #[error(
        "the key was opened by process {opened_in} and this one is its child: a forked process must \
         open its own"
    )]
    Forked {
        /// The process that opened it.
        opened_in: u32,
    },
    /// All sessions of the pool were in use for as long as the pool waits.
    #[error("all {sessions} sessions of the pool were in use for {} ms", .waited.as_millis())]
    PoolTimeout {
        /// How many there are.
        sessions: u32,
        /// How long was waited.
        waited: Duration,
    },
}

fn said_by(call: Option<&CallError>) -> String {
    call.map_or_else(String::new, |call| format!("{call}: "))
}

const fn after_try(now: PinState) -> &'static str {
    match now {
        PinState::Ok => "the token reports no shortage of tries",
        PinState::CountLow => "some tries are lost already (CKF_USER_PIN_COUNT_LOW)",
        PinState::FinalTry => "ONE TRY IS LEFT (CKF_USER_PIN_FINAL_TRY)",
        PinState::Locked => "the PIN is locked now (CKF_USER_PIN_LOCKED)",
        _ => "the token does not say how many are left",
    }
}

fn final_try(token: &str, state: PinState) -> String {
    match state {
        PinState::FinalTry => format!(
            "token {token:?} has one PIN try left (CKF_USER_PIN_FINAL_TRY); it was not spent"
        ),
        _ => format!(
            "the flags of token {token:?} cannot be read, so nobody can tell how many PIN tries are \
             left; none was spent"
        ),
    }
}

const fn hash(algorithm: KeyEncryption) -> &'static str {
    match algorithm {
        KeyEncryption::RsaOaep => "SHA-1",
        KeyEncryption::RsaOaep256 => "SHA-256",
    }
}
