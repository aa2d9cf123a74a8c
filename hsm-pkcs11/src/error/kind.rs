//! What kind of error it is, for code that does not know this crate, and for recovery.

use privyseal_core::signer::{SignerError, SignerErrorKind};

use super::Error;

impl SignerError for Error {
    fn kind(&self) -> SignerErrorKind {
        match self {
            Self::Uri(_) | Self::Forked { .. } | Self::Taken { .. } => {
                SignerErrorKind::Configuration
            }
            Self::Randomness { .. } => SignerErrorKind::Other,
            Self::Module { .. }
            | Self::ModuleCrashes { .. }
            | Self::Disconnected
            | Self::ForeignModule => SignerErrorKind::Unavailable,
            Self::ModuleHangs { .. } => SignerErrorKind::Timeout,
            Self::Token(error) | Self::KeySelection(error) => error.kind(),
            Self::Key { .. } | Self::KeyEncryption { .. } | Self::NotAlwaysAuthenticate { .. } => {
                SignerErrorKind::KeyUnfit
            }
            Self::Undecipherable => SignerErrorKind::Undecipherable,
            Self::Certificates(_) | Self::KeyChanged => SignerErrorKind::NotFound,
            Self::PinUnavailable { .. } | Self::PinNotInitialized { .. } => {
                SignerErrorKind::NotLoggedIn
            }
            Self::PinIncorrect { .. } => SignerErrorKind::PinIncorrect,
            Self::PinLocked { .. } => SignerErrorKind::PinLocked,
            Self::PinFinalTry { .. } => SignerErrorKind::PinFinalTry,
            Self::SignatureLength { .. } => SignerErrorKind::Protocol,
            Self::Call(call) | Self::OneSession { call, .. } => call.kind(),
            Self::PinCountLow { .. } => SignerErrorKind::NotLoggedIn,
            Self::RecoveryFailed { then, .. } => then.kind(),
            Self::ModuleInUse | Self::TokenBusy { .. } | Self::PoolTimeout { .. } => {
                SignerErrorKind::Busy
            }
        }
    }
}

impl Error {
    /// Whether a new session, login or initialization may cure it.
    pub(crate) fn is_loss(&self) -> bool {
        match self {
            // Whatever its code, it may have cost a PIN try, and is left to the next caller.
            Self::Call(error) if error.function() == "C_Login" => false,
            Self::Call(error) => error.is_loss(),
            Self::Disconnected => true,
            _ => false,
        }
    }

    /// Whether a login did not come to its PIN because of a loss: the next caller must begin with a new session.
    pub(crate) fn is_loss_before_login(&self) -> bool {
        matches!(self, Self::Call(call) if call.function() == "C_Login" && call.is_loss_before_login())
    }

    /// Whether no more than one session is lost.
    pub(crate) fn is_loss_of_session(&self) -> bool {
        matches!(self, Self::Call(call) if call.is_loss_of_session())
    }
}
