//! What can go wrong, in words that say what to do.

mod audit;
mod call;
mod client_failure;
mod key;

use std::fmt;
use std::time::Duration;

use privyseal_core::signer::{SignerError, SignerErrorKind};

pub use call::{CallError, DeviceCode};
pub(crate) use client_failure::Trouble;
pub use key::{CertificateError, KeyError};

use crate::password::PasswordUnavailable;
use crate::uri::UriError;
pub use audit::AuditError;

/// An error of the YubiHSM signer.
#[derive(Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named for what they hold")]
pub enum Error {
    /// The URI is malformed or says too little.
    Uri(UriError),
    /// The URI asks for USB and this build has no USB.
    UsbNotBuiltIn,
    /// A password is needed and there is none.
    PasswordUnavailable {
        device: String,
        auth_key: u16,
        reason: PasswordUnavailable,
    },
    /// The password is wrong. The device does not count tries.
    PasswordIncorrect { device: String, auth_key: u16 },
    /// The device has no such authentication key.
    AuthKeyNotFound { device: String, auth_key: u16 },
    /// The connector is not there, went away, or does not speak its protocol.
    Connector {
        device: String,
        function: &'static str,
        reason: String,
    },
    /// No answer in time. `begun`: the device may have done it all the same.
    Timeout {
        device: String,
        function: &'static str,
        after: Duration,
        begun: bool,
    },
    /// Too many earlier calls still hang; this one was not begun.
    Stuck { device: String, count: usize },
    /// No session became free while we waited.
    SessionsFull { device: String, waited: Duration },
    /// The device dropped the session, and a new one at once, too.
    SessionLost {
        device: String,
        function: &'static str,
    },
    /// The answer cannot be understood or believed (a wrong MAC, say).
    Protocol {
        device: String,
        function: &'static str,
        reason: String,
    },
    /// The `yubihsm` crate panicked. The next call begins anew.
    Crashed {
        device: String,
        function: &'static str,
    },
    /// The operating system gives no thread.
    Thread { reason: String },
    /// The device refused a command.
    Call(CallError),
    /// There is no such key.
    KeyNotFound { device: String, key_id: u16 },
    /// The key cannot be used.
    Key { key_id: u16, reason: KeyError },
    /// There is no chain on the device.
    Certificates(CertificateError),
    /// The device gave a signature of another length than the key makes. It was thrown away.
    SignatureLength { len: usize, expected: usize },
    /// The device's log, or our own record, is not as it must be.
    Audit(AuditError),
    /// What was provisioned is not what was asked for.
    Provision { object: String, reason: String },
}

impl Error {
    /// What the device answered, if it was the device that refused.
    pub const fn device_code(&self) -> Option<DeviceCode> {
        match self {
            Self::Call(error) => Some(error.code),
            _ => None,
        }
    }

    pub(crate) fn is(&self, code: DeviceCode) -> bool {
        self.device_code() == Some(code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(error) => error.fmt(f),
            Self::UsbNotBuiltIn => f.write_str(
                "this build reaches a YubiHSM through a yubihsm-connector only (built without the \
                 feature usb)",
            ),
            Self::PasswordUnavailable {
                device,
                auth_key,
                reason,
            } => write!(
                f,
                "authentication key {auth_key} of {device} needs a password: {reason} (give pin-source \
                 in the URI's query)"
            ),
            Self::PasswordIncorrect { device, auth_key } => write!(
                f,
                "the password of authentication key {auth_key} of {device} is wrong (the device does \
                 not count tries)"
            ),
            Self::AuthKeyNotFound { device, auth_key } => {
                write!(
                    f,
                    "{device} has no authentication key {auth_key}; check auth-key"
                )
            }
            Self::Connector {
                device,
                function,
                reason,
            } => write!(
                f,
                "{function}: no answer from {device} ({reason}); is yubihsm-connector running and the \
                 device plugged in?"
            ),
            Self::Timeout {
                device,
                function,
                after,
                begun: true,
            } => write!(
                f,
                "{function}: no answer from {device} within {} s; whether the device did it is not known",
                after.as_secs()
            ),
            Self::Timeout {
                device,
                function,
                after,
                begun: false,
            } => write!(
                f,
                "{function}: {device} was busy with other calls for {} s; this one was not begun",
                after.as_secs()
            ),
            Self::Stuck { device, count } => write!(
                f,
                "{device} does not answer: {count} earlier calls still hang, so this one was not begun"
            ),
            Self::SessionsFull { device, waited } => write!(
                f,
                "all 16 sessions of {device} are taken (SESSIONS_FULL), {} s long; close other clients",
                waited.as_secs()
            ),
            Self::SessionLost { device, function } => write!(
                f,
                "{function}: {device} dropped the session, and a new one as well; was it reset, or do \
                 others use it?"
            ),
            Self::Protocol {
                device,
                function,
                reason,
            } => {
                write!(
                    f,
                    "{function}: the answer of {device} cannot be trusted: {reason}"
                )
            }
            Self::Crashed { device, function } => write!(
                f,
                "{function}: an answer of {device} made the yubihsm library panic; nothing of it is used"
            ),
            Self::Thread { reason } => write!(f, "no thread for the YubiHSM: {reason}"),
            Self::Call(error) => write!(f, "{error}{}", error.advice()),
            Self::KeyNotFound { device, key_id } => write!(
                f,
                "{device} has no asymmetric key {key_id} in the domains of the authentication key"
            ),
            Self::Key { key_id, reason } => write!(f, "key {key_id} {reason}"),
            Self::Certificates(error) => write!(f, "certificates on the device: {error}"),
            Self::SignatureLength { len, expected } => write!(
                f,
                "SignPkcs1 gave {len} bytes, the key makes {expected}; nothing was released"
            ),
            Self::Audit(error) => error.fmt(f),
            Self::Provision { object, reason } => write!(f, "{object} {reason}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Uri(error) => Some(error),
            Self::PasswordUnavailable { reason, .. } => Some(reason),
            Self::Call(error) => Some(error),
            Self::Key { reason, .. } => Some(reason),
            Self::Certificates(error) => Some(error),
            Self::Audit(error) => Some(error),
            _ => None,
        }
    }
}

impl SignerError for Error {
    fn kind(&self) -> SignerErrorKind {
        match self {
            Self::Uri(_) | Self::UsbNotBuiltIn => SignerErrorKind::Configuration,
            Self::PasswordUnavailable { .. } => SignerErrorKind::NotLoggedIn,
            Self::PasswordIncorrect { .. } => SignerErrorKind::PinIncorrect,
            Self::Connector { .. } | Self::SessionLost { .. } => SignerErrorKind::Unavailable,
            Self::Timeout { .. } | Self::Stuck { .. } => SignerErrorKind::Timeout,
            Self::SessionsFull { .. } => SignerErrorKind::Busy,
            Self::Protocol { .. } | Self::Crashed { .. } | Self::SignatureLength { .. } => {
                SignerErrorKind::Protocol
            }
            Self::Call(error) => error.kind(),
            Self::AuthKeyNotFound { .. } | Self::KeyNotFound { .. } | Self::Certificates(_) => {
                SignerErrorKind::NotFound
            }
            Self::Key { .. } => SignerErrorKind::KeyUnfit,
            Self::Thread { .. } | Self::Audit(_) | Self::Provision { .. } => SignerErrorKind::Other,
        }
    }
}

impl From<UriError> for Error {
    fn from(error: UriError) -> Self {
        Self::Uri(error)
    }
}

impl From<CertificateError> for Error {
    fn from(error: CertificateError) -> Self {
        Self::Certificates(error)
    }
}

impl From<AuditError> for Error {
    fn from(error: AuditError) -> Self {
        Self::Audit(error)
    }
}
