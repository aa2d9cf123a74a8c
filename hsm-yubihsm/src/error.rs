//! What can go wrong.

mod audit;
mod call;
mod client_failure;
mod key;

use std::time::Duration;

pub use audit::AuditError;
pub use call::{CallError, DeviceCode};
pub(crate) use client_failure::failure;
pub use key::CertificateError;
use privyseal_core::signer::{SignerError, SignerErrorKind};
use privyseal_hsm::uri::UriError;
use privyseal_hsm::{KeyUnfit, SecretUnavailable};

/// An error of the YubiHSM signer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named for what they hold")]
pub enum Error {
    /// The URI is malformed or says too little.
    #[error("{0}")]
    Uri(#[from] UriError),
    /// The URI asks for USB and this build has no USB.
    #[error(
        "this build reaches a YubiHSM through a yubihsm-connector only (built without the feature usb)"
    )]
    UsbNotBuiltIn,
    /// A password is needed and there is none.
    #[error("authentication key {auth_key} of {device} needs a password: {reason}")]
    PasswordUnavailable {
        device: String,
        auth_key: u16,
        #[source]
        reason: SecretUnavailable,
    },
    /// The password is wrong. The device does not count tries.
    #[error(
        "the password of authentication key {auth_key} of {device} is wrong (the device does not count \
         tries)"
    )]
    PasswordIncorrect { device: String, auth_key: u16 },
    /// The device has no such authentication key.
    #[error("{device} has no authentication key {auth_key} (auth-key)")]
    AuthKeyNotFound { device: String, auth_key: u16 },
    /// The connector is not there, went away, or does not speak its protocol.
    #[error(
        "{function}: no answer from {device} ({reason}); yubihsm-connector is not running there, or the \
         device is not plugged in"
    )]
    Connector {
        device: String,
        function: &'static str,
        reason: String,
    },
    /// No answer in time. `begun`: the device may have done it all the same.
    #[error("{function}: {}", timed_out(.device, *.after, *.begun))]
    Timeout {
        device: String,
        function: &'static str,
        after: Duration,
        begun: bool,
    },
    /// Too many earlier calls still hang; this one was not begun.
    #[error(
        "{device} does not answer: {count} earlier calls still hang, so this one was not begun"
    )]
    Stuck { device: String, count: usize },
    /// No session became free while we waited.
    #[error("all 16 sessions of {device} are taken (SESSIONS_FULL), {} s long", .waited.as_secs())]
    SessionsFull { device: String, waited: Duration },
    /// The device dropped the session, and a new one at once, too.
    #[error("{function}: {device} dropped the session, and a new one as well")]
    SessionLost {
        device: String,
        function: &'static str,
    },
    /// The answer cannot be understood or believed (a wrong MAC, say).
    #[error("{function}: the answer of {device} cannot be trusted: {reason}")]
    Protocol {
        device: String,
        function: &'static str,
        reason: String,
    },
    /// The `yubihsm` crate panicked. The next call begins again with a new client.
    #[error(
        "{function}: an answer of {device} made the yubihsm library panic; nothing of it is used"
    )]
    Crashed {
        device: String,
        function: &'static str,
    },
    /// The operating system gives no thread.
    #[error("no thread for the YubiHSM: {reason}")]
    Thread { reason: String },
    /// The device refused a command.
    #[error("{}{}", .0, .0.meaning())]
    Call(#[from] CallError),
    /// There is no such key.
    #[error("{device} has no asymmetric key {key_id} in the domains of the authentication key")]
    KeyNotFound { device: String, key_id: u16 },
    /// The key cannot be used.
    #[error("key {key_id} {reason}")]
    Key {
        key_id: u16,
        #[source]
        reason: KeyUnfit,
    },
    /// There is no chain on the device.
    #[error("certificates on the device: {0}")]
    Certificates(#[from] CertificateError),
    /// The device gave a signature of another length than the key makes. It was thrown away.
    #[error("SignPkcs1 gave {len} bytes, the key makes {expected}; nothing was released")]
    SignatureLength { len: usize, expected: usize },
    /// A content encryption key cannot be decrypted: it was encrypted to another key, or changed.
    #[error(
        "the content encryption key cannot be decrypted: it was encrypted to another key, or changed"
    )]
    Undecipherable,
    /// The device's log, or our own record, is not as it must be.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// What was provisioned is not what was asked for.
    #[error("{object} {reason}")]
    Provision { object: String, reason: String },
}

fn timed_out(device: &str, after: Duration, begun: bool) -> String {
    let after = after.as_secs();
    if begun {
        format!("no answer from {device} within {after} s; whether the device did it is not known")
    } else {
        format!("{device} was busy with other calls for {after} s; this one was not begun")
    }
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
            Self::Undecipherable => SignerErrorKind::Undecipherable,
            Self::AuthKeyNotFound { .. } | Self::KeyNotFound { .. } | Self::Certificates(_) => {
                SignerErrorKind::NotFound
            }
            Self::Key { .. } => SignerErrorKind::KeyUnfit,
            Self::Thread { .. } | Self::Audit(_) | Self::Provision { .. } => SignerErrorKind::Other,
        }
    }
}
