//! What differs from one assertion to the next, and the first step of signing.

use super::{BoundProfile, Credential, HeaderBytes};
use crate::error::Error;
use crate::field::{Field, FieldError, check_range};
use crate::id::{Audience, Jti};
use crate::limits::MAX_BACKDATE_SECONDS;
use crate::payload::{
    AuthenticationRequest, AuthorizationObject, AuthorizationRequest, Claims, LoginHint, Payload,
    RequestObject,
};
use crate::scheme::NotBefore;
use crate::signing_input::SigningInput;
use crate::time::UnixTime;

/// What differs from one assertion to the next.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "callers decide on each claim")]
pub struct AssertionRequest<'a> {
    /// The audience; `None` for the scheme's default one.
    pub audience: Option<Audience<'a>>,
    /// The caller's clock. The core reads none.
    pub now: UnixTime,
    /// Seconds by which `iat` is dated back, 0 to [`MAX_BACKDATE_SECONDS`], for receivers whose clock is
    /// behind.
    pub backdate: u64,
    /// `exp - iat` in seconds; `None` for the scheme's default.
    pub lifetime: Option<u64>,
    /// A `jti` that was never used before.
    pub jti: Jti<'a>,
}

impl<'a> AssertionRequest<'a> {
    /// The scheme's own audience and lifetime, not dated back.
    pub const fn new(now: UnixTime, jti: Jti<'a>) -> Self {
        Self {
            audience: None,
            now,
            backdate: 0,
            lifetime: None,
            jti,
        }
    }
}

impl<B: HeaderBytes> Credential<B> {
    /// Makes the claims of a client assertion under the scheme's rules and seals them: the first step of
    /// signing.
    ///
    /// # Errors
    /// [`Error::Field`] for a value outside the scheme's rules; [`Error::Clock`].
    pub fn prepare<'a>(
        &'a self,
        request: &AssertionRequest<'a>,
    ) -> Result<SigningInput<'a>, Error> {
        self.bound().prepare(request)
    }
}

impl<'a> BoundProfile<'a> {
    /// As [`Credential::prepare`].
    ///
    /// # Errors
    /// [`Error::Field`] for a value outside the scheme's rules; [`Error::Clock`].
    pub fn prepare(self, request: &AssertionRequest<'a>) -> Result<SigningInput<'a>, Error> {
        let rule = self.rules.scheme.lifetime();
        let lifetime = rule.value().choose(request.lifetime, rule.source())?;
        let audience = self.rules.scheme.choose_audience(request.audience)?;
        let issued_at = self.issued_at(request)?;
        Ok(self.seal(Payload::Assertion(Claims {
            client_id: &self.rules.client_id,
            audience,
            issued_at,
            not_before: match self.rules.scheme.not_before().value() {
                NotBefore::EqualsIssuedAt => Some(issued_at),
                NotBefore::Absent => None,
            },
            expires_at: issued_at.saturating_add(lifetime),
            jti: request.jti,
        })))
    }

    /// Makes a signed authentication request (CIBA Core section 7.1.1) and seals it. The audience must be
    /// given: it is the server's issuer. Refused for a scheme without such requests.
    ///
    /// # Errors
    /// [`Error::Field`] for a value outside the scheme's rules; [`Error::Clock`].
    pub fn prepare_request(
        self,
        request: &AssertionRequest<'a>,
        authentication: AuthenticationRequest<'a>,
    ) -> Result<SigningInput<'a>, Error> {
        let rules = self
            .rules
            .scheme
            .request_object()
            .ok_or_else(|| self.no_requests())?;
        let lifetime = rules
            .lifetime()
            .value()
            .choose(request.lifetime, rules.lifetime().source())?;
        authentication.check()?;
        let audience = self.rules.scheme.choose_audience(request.audience)?;
        let issued_at = self.issued_at(request)?;
        Ok(self.seal(Payload::Request(RequestObject {
            client_id: &self.rules.client_id,
            audience,
            issued_at,
            expires_at: issued_at.saturating_add(lifetime),
            jti: request.jti,
            request: authentication,
        })))
    }

    /// Makes a signed authorization request for a login in a browser (RFC 9101) and seals it. The audience must be given:
    /// it is the provider's issuer. Refused for a scheme without such requests.
    ///
    /// # Errors
    /// [`Error::Field`] for a value outside the scheme's rules; [`Error::Clock`].
    pub fn prepare_authorization(
        self,
        request: &AssertionRequest<'a>,
        authorization: &AuthorizationRequest<'a>,
    ) -> Result<SigningInput<'a>, Error> {
        let rule = self.rules.scheme.authorization_request().ok_or_else(|| {
            let expected = "a claim of this scheme: it has no signed authorization requests";
            Field::RedirectUri.is_not(expected, self.rules.scheme.title())
        })?;
        let lifetime = rule.value().choose(request.lifetime, rule.source())?;
        authorization.check()?;
        let scheme = self.rules.scheme;
        let audience = match request.audience {
            // What a file says is about assertions; the issuer, the provider says.
            Some(issuer) if scheme.built_in().is_none() => issuer,
            given => scheme.choose_audience(given)?,
        };
        let issued_at = self.issued_at(request)?;
        Ok(self.seal(Payload::Authorization(AuthorizationObject {
            client_id: &self.rules.client_id,
            audience,
            issued_at,
            expires_at: issued_at.saturating_add(lifetime),
            jti: request.jti,
            request: *authorization,
        })))
    }

    /// Makes the `login_hint_token` for a `user_identifier_token` of a discovery session and seals it.
    /// Refused for a scheme without signed authentication requests.
    ///
    /// # Errors
    /// [`Error::Field`] for a value outside the scheme's rules; [`Error::Clock`].
    pub fn prepare_login_hint(
        self,
        now: UnixTime,
        user_identifier_token: &'a str,
    ) -> Result<SigningInput<'a>, Error> {
        if self.rules.scheme.request_object().is_none() {
            return Err(self.no_requests().into());
        }
        self.rules.check_clock(now)?;
        Ok(self.seal(Payload::LoginHint(LoginHint::new(user_identifier_token)?)))
    }

    fn issued_at(self, request: &AssertionRequest<'_>) -> Result<UnixTime, Error> {
        self.rules.check_clock(request.now)?;
        let (value, range) = (request.backdate, (0, MAX_BACKDATE_SECONDS));
        let source = "seconds of clock difference that a receiver may be given";
        check_range(Field::Backdate, value, range, source)?;
        Ok(request.now.saturating_sub(value))
    }

    fn seal(self, payload: Payload<'a>) -> SigningInput<'a> {
        SigningInput::seal(self.header, self.midstate(), self.key, payload)
    }

    fn no_requests(self) -> FieldError {
        let expected = "a claim of this scheme: it has no signed authentication requests";
        Field::LoginHintToken.is_not(expected, self.rules.scheme.title())
    }
}
