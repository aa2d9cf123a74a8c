//! Why a request was refused: an HTTP status, a word for machines and a text for a person.

use std::fmt;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `error` of RFC 6749 section 5.2, or a word in its manner.
    pub error: &'static str,
    /// What is wrong; no part of a token is in it.
    pub description: String,
}

impl Refusal {
    /// 400: the request itself is wrong.
    pub fn bad_request(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: 400,
            error,
            description: description.into(),
        }
    }

    /// 401: the client has not proved who it is.
    pub fn invalid_client(description: impl Into<String>) -> Self {
        Self {
            status: 401,
            error: "invalid_client",
            description: description.into(),
        }
    }

    /// 401: the bearer token is not good (RFC 6750 section 3.1).
    pub fn invalid_token(description: impl Into<String>) -> Self {
        Self {
            status: 401,
            error: "invalid_token",
            description: description.into(),
        }
    }

    /// The other statuses of FIAM's table, with its own words.
    pub fn of_status(status: u16) -> Self {
        let (error, description) = match status {
            403 => (
                "access_denied",
                "identity is valid but authorization is missing",
            ),
            404 => ("not_found", "unknown participant or no consent on record"),
            405 => ("method_not_allowed", "this path has another method"),
            429 => ("too_many_requests", "rate limit exceeded"),
            _ => ("server_error", "temporary or unexpected system issue"),
        };
        Self {
            status,
            error,
            description: description.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.error, self.description)
    }
}

impl std::error::Error for Refusal {}
