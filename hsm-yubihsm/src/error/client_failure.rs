//! What an error of the `yubihsm` crate means. It hides that well: connector failures come as
//! "protocol error", a dropped session as "response error" without a code. Two cases can be told by their text only,
//! so the workspace pins the exact version whose texts these are.

use std::error::Error as StdError;
use std::time::Duration;

use yubihsm::{client, connector, device};

use super::{CallError, DeviceCode, Error};
use crate::uri::Endpoint;

/// What an error of the client means.
pub(crate) fn failure(
    function: &'static str,
    device: &Endpoint,
    auth_key: u16,
    error: &client::Error,
) -> Error {
    let (device, reason) = (device.to_string(), error.to_string());
    if is_session_lost(error) {
        return Error::SessionLost { device, function };
    }
    match (error.device_error(), error.kind()) {
        (Some(device::ErrorKind::SessionsFull), _) => Error::SessionsFull {
            device,
            waited: Duration::ZERO,
        },
        (Some(kind), _) => {
            let code = DeviceCode::from_crate(kind);
            Error::Call(CallError { function, code })
        }
        // The only way to tell: the crate gives both the same kind.
        (None, client::ErrorKind::AuthenticationError) if reason.contains("auth key not found") => {
            Error::AuthKeyNotFound { device, auth_key }
        }
        (None, client::ErrorKind::AuthenticationError) => {
            Error::PasswordIncorrect { device, auth_key }
        }
        _ if is_of_connector(error) => Error::Connector {
            device,
            function,
            reason,
        },
        _ => Error::Protocol {
            device,
            function,
            reason,
        },
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
