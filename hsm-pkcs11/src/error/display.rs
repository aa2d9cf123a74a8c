//! The words of an error.

use std::fmt;

use privyseal_core::KeyEncryption;

use super::Error;
use crate::slot::PinState;

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
            Self::PinUnavailable { .. }
            | Self::PinIncorrect { .. }
            | Self::PinLocked { .. }
            | Self::PinFinalTry { .. }
            | Self::PinNotInitialized { .. }
            | Self::PinCountLow { .. } => self.fmt_pin(f),
        }
    }
}

impl Error {
    /// What is said of a PIN: above all, whether a try was spent.
    fn fmt_pin(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
            Self::PinCountLow { token } => write!(
                f,
                "token \"{token}\" is not logged in to again: a wrong PIN was given since the last right \
                 one (CKF_USER_PIN_COUNT_LOW); open the key again with the right one"
            ),
            _ => Ok(()),
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
