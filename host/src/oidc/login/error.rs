//! Why a person is not logged in.

use core::fmt;
use std::sync::Arc;

use crate::base::BaseError;
use crate::base::display::sanitize_for_display;
use crate::jose::JoseError;
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
    Oidc(#[from] OidcError),
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
    /// Nothing can be listened for there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The provider would not bind the code to this login.
    #[error("the provider's metadata do not offer S256 for PKCE (RFC 9700 section 2.1.1)")]
    NoPkce,
    /// What was stored elsewhere is not what was sealed for this.
    #[error(
        "the stored login cannot be opened: it was changed, or sealed with another key or for another browser"
    )]
    Sealed,
    /// The person took too long.
    #[error(
        "the login was started {seconds} s ago, and must be finished within {} s",
        LIFETIME
    )]
    Expired {
        /// How long ago.
        seconds: u64,
    },
    /// The login was started at another provider.
    #[error("the login was started at another provider, {}", sanitize_for_display(.0, None))]
    OtherProvider(String),
    /// The browser came back with something else than the answer to this login.
    #[error("the browser came back with something else than the answer to this login: {0}")]
    Callback(#[from] CallbackFault),
    /// The person, or the provider, said no.
    #[error("{0}")]
    Refused(#[source] Box<AuthorizationRefusal>),
    /// There is no refresh token: none was given, or it is spent.
    #[error(
        "the session has no refresh token: none was given, or the last one was spent without an answer"
    )]
    NoRefreshToken,
    /// A refresh token is good once, and what it was sent for is not there.
    #[error("{0}; the refresh token may be spent")]
    Spent(#[source] OidcError),
    /// A code is good once, and nobody knows whether the provider took it.
    #[error("{0}; the code may be spent")]
    CodeSpent(#[source] OidcError),
    /// Several threads waited for one request, and it failed for all of them.
    #[error("{0}")]
    Shared(#[source] Arc<Self>),
}

impl LoginError {
    /// Of a request with a refresh token.
    pub(super) fn of_refresh(error: OidcError) -> Self {
        match &error {
            OidcError::OAuth(inner) if !may_be_taken(inner) => error.into(),
            _ => Self::Spent(error),
        }
    }

    /// Of a request with a code.
    pub(super) fn of_code(error: OidcError) -> Self {
        match &error {
            OidcError::OAuth(inner) if may_be_taken(inner) => Self::CodeSpent(error),
            _ => error.into(),
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

/// What is wrong with what a browser came back with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackFault {
    /// A parameter is there twice.
    #[error("{0} is there twice (RFC 6749 section 3.1)")]
    Twice(&'static str),
    /// It is the answer to another login, or nobody's.
    #[error("state is not the one that was sent (RFC 6749 section 10.12)")]
    State,
    /// It is of another provider.
    #[error("iss is {}, not the provider that was asked (RFC 9207 section 2.4)", sanitize_for_display(.0, None))]
    Issuer(String),
    /// The provider says that it names itself, and this does not.
    #[error(
        "iss is missing, and the provider's metadata say that it is there (RFC 9207 section 2.4)"
    )]
    NoIssuer,
    /// Neither a code nor an error.
    #[error("code is missing in the query (OpenID Connect Core section 3.1.2.5)")]
    NoCode,
}

/// The provider's no, as the browser brought it. `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRefusal {
    pub(super) code: String,
    pub(super) description: Option<String>,
    pub(super) uri: Option<String>,
}

impl AuthorizationRefusal {
    /// The `error` code (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6).
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Whether nobody is logged in, or something must be asked, where nothing was to be shown
    /// ([`super::Prompt::None`]).
    pub fn needs_person(&self) -> bool {
        matches!(
            self.code.as_str(),
            "login_required"
                | "interaction_required"
                | "consent_required"
                | "account_selection_required"
        )
    }

    /// What it means.
    pub fn diagnosis(&self) -> Diagnosis {
        Diagnosis::of(RequestKind::Authorization, 400, Some(&self.code))
    }
}

impl fmt::Display for AuthorizationRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the login was refused, {}: {}",
            self.code,
            self.diagnosis()
        )?;
        if let Some(description) = &self.description {
            write!(f, "; the server says: {description}")?;
        }
        match &self.uri {
            Some(uri) => write!(f, " ({uri})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for AuthorizationRefusal {}

impl From<OAuthError> for LoginError {
    fn from(error: OAuthError) -> Self {
        Self::Oidc(error.into())
    }
}

impl From<BaseError> for LoginError {
    fn from(error: BaseError) -> Self {
        OAuthError::from(error).into()
    }
}

impl From<JoseError> for LoginError {
    fn from(error: JoseError) -> Self {
        Self::Oidc(error.into())
    }
}
