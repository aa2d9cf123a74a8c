//! Assertions, token requests and what comes back: RFC 6749, RFC 7523.

mod access_token;
mod assertion;
mod audience;
mod authentication;
mod call;
mod error;
mod form;
mod introspection;
mod refusal;
mod response;
mod signing_client;
mod source;
mod token_source;

#[cfg(any(feature = "ciba", feature = "login"))]
pub(crate) use access_token::stored as stored_token;
pub use access_token::{AccessToken, RefreshToken};
pub use assertion::{Assertion, AssertionOptions};
pub use audience::{AudienceError, AudienceParts, REQUEST, has_realms};
pub use authentication::AuthenticationOptions;
pub use call::{CallMethod, call, call_with};
pub use error::OAuthError;
pub(crate) use form::form_body;
pub use introspection::Introspection;
pub use refusal::{Diagnosis, Refusal, RequestKind};
pub(crate) use response::token as token_response;
pub(crate) use response::{get_awaited, get_public, parsed, success};
pub use signing_client::SigningClient;
pub(crate) use source::check_scope;
pub use source::{AssertionSource, SignedRequest};
pub use token_source::{MAX_MARGIN, TokenSource};
