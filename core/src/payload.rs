//! What a key may be made to say: the payloads that a [`crate::SigningInput`] can hold, each a type of
//! its own with its own rules and bounds.

pub mod assertion;
pub mod authorization;
pub mod login_hint;
pub mod request_object;

use crate::encoding::sink::Sink;

pub use assertion::Claims;
pub use authorization::{AuthorizationObject, AuthorizationRequest};
pub use login_hint::LoginHint;
pub use request_object::{AcrValues, AuthenticationRequest, RequestObject};

/// The payload of a JWS, before it is encoded.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // No heap; a device that never makes the large one pays stack only.
pub enum Payload<'a> {
    /// A client assertion (RFC 7523 section 3).
    Assertion(Claims<'a>),
    /// A signed authentication request (OIDC Core section 6, CIBA Core section 7.1.1).
    Request(RequestObject<'a>),
    /// A signed authorization request (RFC 9101).
    Authorization(AuthorizationObject<'a>),
    /// itsme's `login_hint_token`.
    LoginHint(LoginHint<'a>),
}

impl Payload<'_> {
    /// Writes the payload as canonical JSON (RFC 8785).
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn write_json<S: Sink>(&self, sink: S) -> Result<(), S::Error> {
        match self {
            Self::Assertion(claims) => claims.write_json(sink),
            Self::Request(request) => request.write_json(sink),
            Self::Authorization(request) => request.write_json(sink),
            Self::LoginHint(hint) => hint.write_json(sink),
        }
    }
}
