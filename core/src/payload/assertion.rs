//! The claims of a client assertion, and their canonical JSON.

use crate::encoding::json::Object;
use crate::encoding::sink::Sink;
use crate::id::{Audience, ClientId, Jti};
use crate::time::UnixTime;

/// What an assertion says (RFC 7523 section 3, OIDC Core section 9). Made by
/// [`crate::Credential::prepare`] under a scheme's rules; read-only everywhere else.
#[derive(Clone, Debug)]
pub struct Claims<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) audience: Audience<'a>,
    pub(crate) issued_at: UnixTime,
    pub(crate) not_before: Option<UnixTime>,
    pub(crate) expires_at: UnixTime,
    pub(crate) jti: Jti<'a>,
}

impl<'a> Claims<'a> {
    /// `iss` and `sub`, which are equal (RFC 7523 section 3, points 1 and 2B).
    pub const fn client_id(&self) -> &'a ClientId {
        self.client_id
    }

    /// `aud`.
    pub const fn audience(&self) -> Audience<'a> {
        self.audience
    }

    /// `iat`.
    pub const fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// `nbf`, where the scheme has it.
    pub const fn not_before(&self) -> Option<UnixTime> {
        self.not_before
    }

    /// `exp`.
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// `jti`.
    pub const fn jti(&self) -> Jti<'a> {
        self.jti
    }

    /// Writes the claims as canonical JSON (RFC 8785), the members in their order.
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn write_json<S: Sink>(&self, sink: S) -> Result<(), S::Error> {
        Object::new(sink)
            .string("aud", self.audience.as_str())
            .integer("exp", self.expires_at.as_secs())
            .integer("iat", self.issued_at.as_secs())
            .string("iss", self.client_id)
            .string("jti", self.jti.as_str())
            .optional_integer("nbf", self.not_before.map(UnixTime::as_secs))
            .string("sub", self.client_id)
            .finish()
    }
}
