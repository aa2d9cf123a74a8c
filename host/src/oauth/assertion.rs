//! What is said about an assertion before it is signed, and the assertion itself.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::field::{Fault, Field, FieldError};
use privyseal_core::jws::JwsParts;
use privyseal_core::limits::MAX_BACKDATE_SECONDS;
use privyseal_core::{AssertionRequest, Audience, CompactJws, Jti, SchemeRules, UnixTime};
use zeroize::Zeroizing;

use super::OAuthError;
use crate::base::{clock, entropy};
#[cfg(feature = "jwe")]
use crate::jose::jwe::Recipient;
use crate::jose::jws::unique_members;

/// What may be said about one assertion. The default is right for almost everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssertionOptions {
    /// `aud`; without it the scheme's own, where the scheme has one.
    pub audience: Option<String>,
    /// The time of issue; without it the machine's clock.
    pub now: Option<UnixTime>,
    /// Seconds by which `iat` is dated back, for servers whose clock is behind; see
    /// [`privyseal_core::limits::MAX_BACKDATE_SECONDS`].
    pub backdate: u64,
    /// `exp - iat` in seconds; without it the scheme's default.
    pub lifetime: Option<u64>,
    /// `jti`; without it a random one. One that is given must never have been used before.
    pub jti: Option<String>,
}

impl AssertionOptions {
    /// With this audience.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// With this time of issue.
    #[must_use]
    pub const fn now(mut self, now: UnixTime) -> Self {
        self.now = Some(now);
        self
    }

    /// Dated back by so many seconds.
    #[must_use]
    pub const fn backdate(mut self, seconds: u64) -> Self {
        self.backdate = seconds;
        self
    }

    /// Checks what can be checked before a key is opened, so that a slip costs no login.
    ///
    /// # Errors
    ///
    /// [`OAuthError::Core`], which names the field.
    pub fn check(&self, scheme: &SchemeRules) -> Result<(), OAuthError> {
        scheme.choose_audience(self.checked_audience()?)?;
        let rule = scheme.lifetime();
        rule.value().choose(self.lifetime, rule.source())?;
        self.jti.as_deref().map(Jti::new).transpose()?;
        let (value, min, max) = (self.backdate, 0, MAX_BACKDATE_SECONDS);
        let fault = Fault::OutOfRange { value, min, max };
        let source = "seconds of clock difference that a receiver may be given";
        let error = FieldError::new(Field::Backdate, fault, source);
        (value <= max).then_some(()).ok_or_else(|| error.into())
    }

    pub(crate) fn checked_audience(&self) -> Result<Option<Audience<'_>>, OAuthError> {
        Ok(self.audience.as_deref().map(Audience::new).transpose()?)
    }

    pub(crate) fn moment(&self) -> Result<UnixTime, OAuthError> {
        Ok(self.now.map_or_else(clock::now, Ok)?)
    }

    /// The given `jti`, or a new one.
    pub(super) fn jti_or_new(&self) -> Result<String, OAuthError> {
        match &self.jti {
            Some(jti) => Ok(jti.clone()),
            None => Ok(entropy::jti()?.as_jti().as_str().to_owned()),
        }
    }

    pub(crate) fn request<'a>(
        &'a self,
        now: UnixTime,
        jti: &'a str,
    ) -> Result<AssertionRequest<'a>, OAuthError> {
        Ok(AssertionRequest {
            audience: self.checked_audience()?,
            now,
            backdate: self.backdate,
            lifetime: self.lifetime,
            jti: Jti::new(jti)?,
        })
    }
}

/// A client assertion, or a signed authentication request: a JWS in compact serialization (RFC 7515 section
/// 3.1) that the core made and verified.
///
/// It is a credential for as long as it lives (30 s, mostly): it is wiped when dropped, and `Debug` does not
/// show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion(Zeroizing<String>);

impl Assertion {
    /// The token's text. Not for logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A claim of it, such as `jti`: for who writes down what was signed.
    pub fn claim(&self, name: &str) -> Option<serde_json::Value> {
        let payload = JwsParts::split(&self.0)?.payload;
        let payload = Zeroizing::new(Base64UrlUnpadded::decode_vec(payload).ok()?);
        let mut claims: serde_json::Value = unique_members(&payload).ok()?;
        Some(claims.get_mut(name)?.take())
    }

    /// The same, encrypted to the server where one is given: a nested JWT (RFC 7519 section 5.2), which itsme takes as well.
    ///
    /// # Errors
    ///
    /// [`OAuthError::Base`] if there is no randomness.
    #[cfg(feature = "jwe")]
    pub fn encrypted_to(self, server: Option<&Recipient>) -> Result<Self, OAuthError> {
        let encrypted = server.map(|server| server.encrypt(&self.0));
        Ok(encrypted.transpose()?.map_or(self, Self))
    }
}

impl From<CompactJws<'_>> for Assertion {
    fn from(token: CompactJws<'_>) -> Self {
        Self(Zeroizing::new(token.as_str().to_owned()))
    }
}

privyseal_core::opaque_debug! { [] Assertion; }
