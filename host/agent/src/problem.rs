//! What is answered when something is not done (RFC 9457).

use std::borrow::Cow;

use hyper::{Method, StatusCode};
use privyseal::keys::SignerFailure;
use privyseal::profile::ProfileError;
use privyseal::{Error, ErrorKind};
use privyseal_core::{SignerError as _, SignerErrorKind};
use privyseal_hsm::SecretUnavailable;
use serde_json::json;

use crate::audit::AuditError;

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A refusal, for the one who asked.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// A word for programs; the labels of the metrics.
    pub(crate) kind: &'static str,
    pub(crate) detail: Cow<'static, str>,
    /// Where it is the key's: how that is, for the metrics.
    pub(crate) key_state: Option<&'static str>,
    /// Seconds after which asking again may help.
    pub(crate) retry_after: Option<u64>,
    /// The method that the path has.
    pub(crate) allow: Option<Method>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        kind: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            kind,
            detail: detail.into(),
            key_state: None,
            retry_after: None,
            allow: None,
        }
    }

    pub(crate) fn unavailable(kind: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail)
        }
    }

    /// The same answer for a profile of somebody else and for one that does not exist.
    pub(crate) fn no_profile() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "profile",
            "there is no profile of that name for the one who asks",
        )
    }

    /// The whole answer, where nothing of the request is read any more.
    pub(crate) fn to_http(&self) -> Vec<u8> {
        let (status, body) = (self.status, self.to_json());
        let retry_after = self.retry_after;
        let retry_after = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n"));
        let mut answer = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\n{}content-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\n\r\n",
            retry_after.unwrap_or_default(),
            body.len()
        )
        .into_bytes();
        answer.extend(body);
        answer
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let problem = json!({
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "kind": self.kind,
            "detail": self.detail,
        });
        problem.to_string().into_bytes()
    }
}

/// No error of the library holds a PIN, an assertion or an access token.
impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        let error = error.into();
        let detail = error.to_string();
        if error.find::<AuditError>().is_some() {
            return Self::unavailable("audit", detail);
        }
        if let Some(ProfileError::OtherAudience) = error.find() {
            return Self::new(StatusCode::FORBIDDEN, "audience", detail);
        }
        match error.kind() {
            ErrorKind::Key => Self {
                key_state: Some(state_of(&error)),
                ..Self::unavailable("key", detail)
            },
            ErrorKind::Server => Self::new(StatusCode::BAD_GATEWAY, "server", detail),
            ErrorKind::Refused if error.refusal().is_some() => {
                Self::new(StatusCode::BAD_GATEWAY, "refused", detail)
            }
            ErrorKind::Refused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "rule", detail),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "configuration", detail),
        }
    }
}

/// Whether opening the key again may help, and costs no PIN try.
pub(crate) fn may_come(error: &Error) -> bool {
    if let Some(SecretUnavailable::RefusedBefore) = error.find() {
        return false;
    }
    match error.find::<SignerFailure>() {
        Some(failure) => matches!(
            failure.kind(),
            SignerErrorKind::Unavailable
                | SignerErrorKind::NotFound
                | SignerErrorKind::NotLoggedIn
                | SignerErrorKind::Busy
                | SignerErrorKind::Timeout
        ),
        None => error.kind() == ErrorKind::Key,
    }
}

/// The state that the metrics show of a key that does not open, or does not sign.
fn state_of(error: &Error) -> &'static str {
    match error.find().map(SignerFailure::kind) {
        Some(
            SignerErrorKind::PinIncorrect
            | SignerErrorKind::PinLocked
            | SignerErrorKind::PinFinalTry
            | SignerErrorKind::NotLoggedIn,
        ) => "pin",
        _ if may_come(error) => "away",
        _ => "unusable",
    }
}
