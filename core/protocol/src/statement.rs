//! What a device signs, and the content of what is more than a client assertion.
#![allow(clippy::exhaustive_structs, reason = "fixed by the protocol's version")]

use heapless::Vec;
use privyseal_core::credential::BoundProfile;
use privyseal_core::field::{Fault, Field, FieldError};
use privyseal_core::limits::MAX_CLAIM_NAMES;
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
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "no heap")]
pub enum Content<'a> {
    /// Of a login hint: the `user_identifier_token`.
    LoginHint(&'a str),
    /// Of an authentication request.
    #[serde(borrow)]
    Authentication(Authentication<'a>),
    /// Of an authorization request.
    Authorization(#[serde(with = "Authorization", borrow)] AuthorizationRequest<'a>),
}

/// The members of [`AuthenticationRequest`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Authentication<'a> {
    /// `scope`.
    pub scope: &'a str,
    /// `login_hint_token`: as this device has made it.
    pub login_hint_token: &'a str,
    /// `acr_values`, if there is one: whether it is [`AcrValues::Advanced`].
    pub is_advanced: Option<bool>,
    /// `requested_expiry`.
    pub requested_expiry: Option<u64>,
    /// `client_notification_token`.
    pub client_notification_token: Option<&'a str>,
    /// Names of claims wanted in the id_token, ascending.
    #[serde(borrow)]
    pub id_token_claims: Vec<&'a str, MAX_CLAIM_NAMES>,
    /// Names of claims wanted from the UserInfo endpoint, ascending.
    #[serde(borrow)]
    pub userinfo_claims: Vec<&'a str, MAX_CLAIM_NAMES>,
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

opaque_debug! {
    [] Content<'_>;
    [] Authentication<'_>;
}

impl<'a> Content<'a> {
    /// Reads the encoding, all of it.
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
    /// Those of [`privyseal_core::Credential::prepare_request`] and its siblings.
    pub fn prepare<'s>(
        &'s self,
        profile: BoundProfile<'s>,
        request: &AssertionRequest<'s>,
    ) -> Result<SigningInput<'s>, Error> {
        match self {
            Self::LoginHint(token) => profile.prepare_login_hint(request.now, token),
            Self::Authentication(asked) => profile.prepare_request(request, asked.members()),
            Self::Authorization(asked) => profile.prepare_authorization(request, asked),
        }
    }
}

impl<'a> Authentication<'a> {
    /// Of these members.
    ///
    /// # Errors
    /// [`Field::ClaimNames`]: more of them than there may be.
    pub fn new(asked: &AuthenticationRequest<'a>) -> Result<Self, FieldError> {
        let names = |names: &[&'a str]| {
            let fault = Fault::TooLong {
                len: names.len(),
                max: MAX_CLAIM_NAMES,
            };
            let source = "OIDC Core section 5.5: names of requested claims";
            Vec::from_slice(names).map_err(|_| FieldError::new(Field::ClaimNames, fault, source))
        };
        Ok(Self {
            scope: asked.scope,
            login_hint_token: asked.login_hint_token,
            is_advanced: asked.acr_values.map(|acr| acr == AcrValues::Advanced),
            requested_expiry: asked.requested_expiry,
            client_notification_token: asked.client_notification_token,
            id_token_claims: names(asked.id_token_claims)?,
            userinfo_claims: names(asked.userinfo_claims)?,
        })
    }

    fn members(&self) -> AuthenticationRequest<'_> {
        AuthenticationRequest {
            scope: self.scope,
            login_hint_token: self.login_hint_token,
            acr_values: self.is_advanced.map(|is_advanced| match is_advanced {
                true => AcrValues::Advanced,
                false => AcrValues::Basic,
            }),
            requested_expiry: self.requested_expiry,
            client_notification_token: self.client_notification_token,
            id_token_claims: &self.id_token_claims,
            userinfo_claims: &self.userinfo_claims,
        }
    }
}
