//! What an error of the `yubihsm` crate means. It hides that well: connector failures come as
//! "protocol error", a dropped session as "response error" without a code. Two cases can be told by their text only,
//! so the workspace pins the exact version whose texts these are.

use std::error::Error as StdError;

use yubihsm::{client, connector, device};

use super::{CallError, DeviceCode, Error};

/// What an error of the client means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientFailure {
    /// The device does not know the session any more, and the client does not notice.
    SessionLost,
    /// All sessions are taken.
    SessionsFull,
    /// The password is wrong.
    Password,
    /// There is no such authentication key.
    AuthKey,
    /// The device refused with a code.
    Refused(DeviceCode),
    /// The connector is not there, went away or answered no HTTP.
    Connector,
    /// An answer that cannot be understood or believed.
    Protocol,
}

impl ClientFailure {
    pub(crate) fn of(error: &client::Error) -> Self {
        if is_session_lost(error) {
            return Self::SessionLost;
        }
        if let Some(kind) = error.device_error() {
            return match kind {
                device::ErrorKind::SessionsFull => Self::SessionsFull,
                kind => Self::Refused(DeviceCode::from_crate(kind)),
            };
        }
        if *error.kind() == client::ErrorKind::AuthenticationError {
            // The only way to tell: the crate gives both the same kind.
            let not_there = error.to_string().contains("auth key not found");
            return if not_there {
                Self::AuthKey
            } else {
                Self::Password
            };
        }
        if is_of_connector(error) {
            Self::Connector
        } else {
            Self::Protocol
        }
    }

    pub(crate) fn into_error(
        self,
        function: &'static str,
        device: String,
        auth_key: u16,
        error: &client::Error,
    ) -> Error {
        match self {
            Self::SessionLost => Error::SessionLost { device, function },
            Self::SessionsFull => Error::SessionsFull {
                device,
                waited: std::time::Duration::ZERO,
            },
            Self::Password => Error::PasswordIncorrect { device, auth_key },
            Self::AuthKey => Error::AuthKeyNotFound { device, auth_key },
            Self::Refused(code) => Error::Call(CallError { function, code }),
            Self::Connector => Error::Connector {
                device,
                function,
                reason: error.to_string(),
            },
            Self::Protocol => Error::Protocol {
                device,
                function,
                reason: error.to_string(),
            },
        }
    }
}

/// The session is gone and only a new client gets another: the device answered outside of the session
/// (which the crate reports without a code and does not act on), or said so inside of it.
fn is_session_lost(error: &client::Error) -> bool {
    match error.device_error() {
        Some(kind) => {
            matches!(
                kind,
                device::ErrorKind::InvalidSession | device::ErrorKind::SessionFailed
            )
        }
        // The same kind also stands for an answer to another question.
        None => {
            *error.kind() == client::ErrorKind::ResponseError
                && error.to_string().contains("HSM error (session:")
        }
    }
}

fn is_of_connector(error: &client::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<connector::Error>() {
            return true;
        }
        cause = error.source();
    }
    *error.kind() == client::ErrorKind::ConnectorError
}
