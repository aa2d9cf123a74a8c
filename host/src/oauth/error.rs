//! Why there is no assertion and no access token.

use std::sync::Arc;

use privyseal_core::cert::ChainError;
use privyseal_core::field::FieldError;
use privyseal_core::{SignError, SignerError};

use super::audience::AudienceError;
use super::refusal::Refusal;
use crate::base::BaseError;
use crate::http::retry::{FailedTry, GaveUp, Retryable};
use crate::http::{HttpError, Url, UrlError};
use crate::keys::SignerFailure;

/// Why there is no assertion, no access token, or nothing that was asked for with one.
///
/// No variant holds a PIN, an assertion or an access token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OAuthError {
    /// The machine's clock or randomness.
    #[error("{0}")]
    Base(#[from] BaseError),
    /// The core refused: a field, the clock, the chain, the key or a signature.
    #[error("{0}")]
    Core(#[from] privyseal_core::Error),
    /// The signer, its token or its PIN; or a gateway.
    #[error("{0}")]
    Signer(#[from] SignerFailure),
    /// What was asked for leaves no audience, or more than one.
    #[error("{0}")]
    Audience(#[from] AudienceError),
    /// A `jti` was given for an assertion that a gateway makes.
    #[error("a device makes each jti itself, and never one twice")]
    JtiGiven,
    /// The scope is no list of scopes.
    #[error(
        "the scope is not visible ASCII without \" and \\, with one space between its values (RFC 6749 section 3.3)"
    )]
    ScopeSyntax,
    /// The scheme says what the scope is, and it is another one.
    #[error("the scope must be {scope} ({rule})")]
    Scope {
        /// The scheme's scope.
        scope: &'static str,
        /// Where that is written.
        rule: &'static str,
    },
    /// An address below a base URL cannot be asked.
    #[error("{0}")]
    Url(#[from] UrlError),
    /// What signs here makes client assertions, and nothing else.
    #[error("what signs here makes client assertions only, and no signed requests")]
    NoSignedRequests,
    /// No usable answer came from a server.
    #[error("{0}")]
    Http(#[from] HttpError),
    /// A server answered, and refused.
    #[error("{0}")]
    Refused(#[source] Box<Refusal>),
    /// A server answered with success and something else than what was asked for.
    #[error("{url}: {reason}")]
    Response {
        /// Where.
        url: Url,
        /// What is wrong with the response.
        reason: String,
    },
    /// It was tried more than once, or is not tried again, and why.
    #[error("{last} ({why})")]
    GaveUp {
        /// Why there is no further try.
        why: GaveUp,
        /// How the last try ended.
        #[source]
        last: Box<Self>,
    },
    /// Several threads waited for one request, and it failed for all of them.
    #[error("{0}")]
    Shared(#[source] Arc<Self>),
}

impl OAuthError {
    /// A server answered with something else than what was asked for: what is wrong with the response.
    #[allow(clippy::needless_pass_by_value)] // A reason is made for the call.
    pub(crate) fn response(url: &Url, reason: impl ToString) -> Self {
        Self::Response {
            url: url.clone(),
            reason: reason.to_string(),
        }
    }

    /// Whether a document that is there mostly may be there again in a moment.
    pub(crate) fn is_of_moment(&self) -> bool {
        match self {
            Self::GaveUp { last, .. } => last.is_of_moment(),
            Self::Refused(refusal) if refusal.status() == 404 => true,
            _ => self.failed_try() != FailedTry::Final,
        }
    }
}

impl Retryable for OAuthError {
    fn failed_try(&self) -> FailedTry {
        match self {
            Self::Http(error) => error.failed_try(),
            Self::Refused(refusal) => refusal.failed_try(),
            _ => FailedTry::Final,
        }
    }

    fn given_up(self, why: GaveUp) -> Self {
        let last = Box::new(self);
        Self::GaveUp { why, last }
    }
}

impl<E: SignerError + Send + Sync + 'static> From<SignError<E>> for OAuthError {
    fn from(error: SignError<E>) -> Self {
        match error {
            SignError::Signer(error) => SignerFailure::new(error).into(),
            SignError::Token(error) => Self::Core(error),
        }
    }
}

impl From<Refusal> for OAuthError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

privyseal_hsm::by_way! { privyseal_core::Error => OAuthError: FieldError, ChainError; }

#[cfg(test)]
mod tests;
