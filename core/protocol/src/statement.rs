//! What a device signs, and the content of what is more than a client assertion.
#![allow(clippy::exhaustive_structs, reason = "fixed by the protocol's version")]

use privyseal_core::credential::BoundProfile;
use privyseal_core::payload::{AcrValues, AuthenticationRequest, AuthorizationRequest};
use privyseal_core::scheme::{Lifetime, SchemeRules};
use privyseal_core::{AssertionRequest, Error, SigningInput, named, opaque_debug};
use serde::{Deserialize, Serialize};

use super::MAX_COMPOSED;

named! {
    /// What a device signs.
    #[non_exhaustive]
    pub enum Statement {
        /// A client assertion (RFC 7523).
        Assertion = "assertion",
        /// A signed authentication request (CIBA Core section 7.1.1).
        AuthenticationRequest = "authentication request",
        /// A signed authorization request (RFC 9101).
        AuthorizationRequest = "authorization request",
        /// itsme's `login_hint_token`.
        LoginHint = "login hint",
    }
}

impl Statement {
    /// The number in a policy: they are declared in their order.
    #[allow(clippy::as_conversions, reason = "one of four")]
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// What a policy must allow for it: a login hint is for an authentication request and nothing else.
    #[must_use]
    pub const fn permission(self) -> Self {
        match self {
            Self::LoginHint => Self::AuthenticationRequest,
            other => other,
        }
    }

    /// What `exp - iat` may be under these rules; `None` where the scheme has no such statements.
    pub fn lifetime(self, rules: &SchemeRules) -> Option<Lifetime> {
        match self.permission() {
            Self::AuthenticationRequest => Some(rules.request_object()?.lifetime().value()),
            Self::AuthorizationRequest => Some(rules.authorization_request()?.value()),
            _ => Some(rules.lifetime().value()),
        }
    }
}

/// What a statement says that is no assertion, besides audience and times. A host sends its encoding in pieces
/// ([`super::Request::Compose`]).
#[derive(Clone, Copy, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Content<'a> {
    /// Of a login hint: the `user_identifier_token`.
    LoginHint(&'a str),
    /// Of an authentication request. Its login hint is as this device has made it.
    Authentication(#[serde(with = "Authentication", borrow)] AuthenticationRequest<'a>),
    /// Of an authorization request.
    Authorization(#[serde(with = "Authorization", borrow)] AuthorizationRequest<'a>),
}

/// How [`AuthenticationRequest`] is written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "AuthenticationRequest")]
struct Authentication<'a> {
    scope: &'a str,
    login_hint_token: &'a str,
    #[serde(with = "acr")]
    acr_values: Option<AcrValues>,
    requested_expiry: Option<u64>,
    #[serde(borrow)]
    client_notification_token: Option<&'a str>,
    id_token_claims: &'a str,
    userinfo_claims: &'a str,
}

/// Whether it is the advanced one.
mod acr {
    use privyseal_core::payload::AcrValues;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[allow(
        clippy::trivially_copy_pass_by_ref,
        clippy::ref_option,
        reason = "serde's signature"
    )]
    pub(super) fn serialize<S: Serializer>(
        acr: &Option<AcrValues>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let is_advanced = acr.map(|acr| acr == AcrValues::Advanced);
        is_advanced.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<AcrValues>, D::Error> {
        let is_advanced = Option::<bool>::deserialize(deserializer)?;
        Ok(is_advanced.map(|is_advanced| {
            if is_advanced {
                AcrValues::Advanced
            } else {
                AcrValues::Basic
            }
        }))
    }
}

/// How [`AuthorizationRequest`] is written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "AuthorizationRequest")]
struct Authorization<'a> {
    redirect_uri: &'a str,
    scope: &'a str,
    state: &'a str,
    nonce: &'a str,
    code_challenge: &'a str,
    #[serde(borrow)]
    prompt: Option<&'a str>,
    #[serde(borrow)]
    login_hint: Option<&'a str>,
    max_age: Option<u64>,
}

opaque_debug! { [] Content<'_>; }

impl<'a> Content<'a> {
    /// Reads the encoding, all of it. In a frame of its own: a device has little stack.
    #[inline(never)]
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        match postcard::take_from_bytes(bytes) {
            Ok((content, [])) => Some(content),
            _ => None,
        }
    }

    /// Writes the encoding; `None` if it is too long.
    pub fn to_bytes<'b>(&self, buffer: &'b mut [u8; MAX_COMPOSED]) -> Option<&'b [u8]> {
        postcard::to_slice(self, buffer).ok().map(|bytes| &*bytes)
    }

    /// What it is the content of.
    pub const fn statement(&self) -> Statement {
        match self {
            Self::LoginHint(_) => Statement::LoginHint,
            Self::Authentication(_) => Statement::AuthenticationRequest,
            Self::Authorization(_) => Statement::AuthorizationRequest,
        }
    }

    /// Makes the statement and seals it: on the device, and on the host, which compares the two.
    ///
    /// # Errors
    /// Those of [`BoundProfile::prepare_request`] and its siblings.
    pub fn prepare(
        &self,
        profile: BoundProfile<'a>,
        request: &AssertionRequest<'a>,
    ) -> Result<SigningInput<'a>, Error> {
        match self {
            Self::LoginHint(token) => profile.prepare_login_hint(request.now, token),
            Self::Authentication(asked) => profile.prepare_request(request, *asked),
            Self::Authorization(asked) => profile.prepare_authorization(request, asked),
        }
    }
}
