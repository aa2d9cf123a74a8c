//! Why a person is not logged in.

use std::sync::Arc;

use crate::oauth::{Diagnosis, OAuthError, RequestKind};
use crate::oidc::OidcError;

/// Seconds within which a login must be finished: eHealth gives a person 30 minutes (section 5.10).
pub const LIFETIME: u64 = 3600;

/// Why there is no session, or why it cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The provider cannot be asked, it refused, or what it says is not accepted.
    #[error("{0}")]
    Oidc(#[source] OidcError),
    /// `openid` is not asked for.
    #[error(
        "the scope has no openid in it, so nobody would say who the person is (OpenID Connect Core section 3.1.2.1)"
    )]
    Scope,
    /// No browser may be sent there.
    #[error(
        "the redirect URI is none of an https URL, an http URL of a loopback address with its port, and a URI whose \
         scheme has a dot, without fragment (RFC 8252 section 7)"
    )]
    RedirectUri,
    /// The provider would not bind the code to this login.
    #[error("the provider's metadata do not offer S256 for PKCE (RFC 9700 section 2.1.1)")]
    NoPkce,
    /// The person took too long.
    #[error("the login was started {seconds} s ago, and must be finished within an hour")]
    Expired {
        /// How long ago.
        seconds: u64,
    },
    /// The browser came back with something else than the answer to this login.
    #[error("the browser came back with something else than the answer to this login: {0}")]
    Callback(String),
    /// There is no refresh token: none was given, or it is spent.
    #[error(
        "the session has no refresh token: none was given, or the last one was spent without an answer"
    )]
    NoRefreshToken,
    /// What is good once was sent, and what it was sent for is not there, or is not accepted.
    #[error("{error}; the {} {}", if *is_code { "code" } else { "refresh token" },
        if *is_known { "is spent" } else { "may be spent" })]
    Spent {
        /// Whether it is a code, and not a refresh token.
        is_code: bool,
        /// Whether the provider took it: tokens came for it.
        is_known: bool,
        /// Why.
        #[source]
        error: OidcError,
    },
    /// Several threads waited for one request, and it failed for all of them.
    #[error("{0}")]
    Shared(#[source] Arc<Self>),
}

impl LoginError {
    /// Of a request with a code or a refresh token, to which no tokens came.
    pub(super) fn of(kind: RequestKind, error: OAuthError) -> Self {
        if may_be_taken(&error) {
            return Self::spent(kind, false, error);
        }
        error.into()
    }

    /// Of one that was taken, where that is known.
    pub(super) fn spent(kind: RequestKind, is_known: bool, error: impl Into<OidcError>) -> Self {
        Self::Spent {
            is_code: kind == RequestKind::Code,
            is_known,
            error: error.into(),
        }
    }
}

/// Whether the server may have taken what is good once, and nobody knows.
fn may_be_taken(error: &OAuthError) -> bool {
    match error {
        OAuthError::GaveUp { last, .. } => may_be_taken(last),
        OAuthError::Http(error) => error.was_sent(),
        OAuthError::Refused(refusal) => {
            let trouble = [Diagnosis::ServerError, Diagnosis::Overloaded];
            matches!(refusal.status(), 408 | 500..) || trouble.contains(&refusal.diagnosis())
        }
        OAuthError::Response { .. } => true,
        _ => false,
    }
}

impl<E: Into<OidcError>> From<E> for LoginError {
    fn from(error: E) -> Self {
        Self::Oidc(error.into())
    }
}
