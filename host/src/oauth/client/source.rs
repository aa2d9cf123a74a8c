//! One way of asking, whoever signs.

use privyseal_core::limits::MAX_TOKEN_RESPONSE;
use privyseal_core::{ClientId, CompactJws, RsaPublicKey, Scheme, Signer};

use super::{
    AssertionOptions, Client, Form, Introspection, answer, exchange, form, introspection, token_url,
};
use crate::error::Error;
use crate::http::{BaseUrl, Http, Response, Url};
use crate::oauth::access_token::{AccessToken, RefreshToken};
use crate::oauth::refusal::meaning::Stage;

/// "An assertion for this scheme and audience, please."
///
/// A [`Client`] builds it here and has a signer sign; a [`crate::device::DeviceClient`] has a device do
/// both, and checks the outcome. Either way what comes out was made by the core and verified.
pub trait AssertionSource {
    /// Under whose rules.
    fn scheme(&self) -> &'static Scheme;

    /// Who signs.
    fn client_id(&self) -> &ClientId;

    /// With which key.
    fn public_key(&self) -> &RsaPublicKey;

    /// A new assertion, good once for as long as the scheme says.
    fn assertion(&mut self, options: &AssertionOptions) -> Result<CompactJws<'_>, Error>;

    /// Asks the token endpoint below `base` for an access token, with a new assertion.
    fn access_token(
        &mut self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
    ) -> Result<AccessToken, Error> {
        let (scheme, client_id) = (self.scheme(), self.client_id().clone());
        let url = token_url(scheme, base)?;
        exchange(http, &url, scheme, &client_id, self.assertion(options)?)
    }

    /// The same, for a token of that `scope` (RFC 6749 section 3.3): scopes with one space between them.
    /// Refused where the scheme says what the scope is.
    fn access_token_with_scope(
        &mut self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
        scope: &str,
    ) -> Result<AccessToken, Error> {
        let scheme = self.scheme();
        let rules = &scheme.token_request;
        if let Some(rule) = rules.scope.filter(|rule| rule.value != scope) {
            let reason = format!("must be {} ({})", rule.value, rule.source);
            return Err(Error::Option {
                option: "--scope",
                reason,
            });
        }
        let url = token_url(scheme, base)?;
        let form = Form {
            url: &url,
            members: &[("grant_type", rules.grant_type.value), ("scope", scope)],
            stage: Stage::Token,
            max: MAX_TOKEN_RESPONSE,
        };
        let response = self.post(http, options, &form)?;
        // Nothing that was sent is shown: a success says no more than what it is not.
        answer::token(&url, response, "")
    }

    /// Asks for a new access token with a refresh token (RFC 6749 section 6) and a new assertion. The
    /// refresh token is spent by it, unless no connection came about.
    fn refreshed_token(
        &mut self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
        refresh_token: &RefreshToken,
    ) -> Result<AccessToken, Error> {
        let url = token_url(self.scheme(), base)?;
        let form = Form {
            url: &url,
            members: &[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token.expose()),
            ],
            stage: Stage::Token,
            max: MAX_TOKEN_RESPONSE,
        };
        let response = self.post(http, options, &form)?;
        answer::token(&url, response, refresh_token.expose())
    }

    /// Asks `endpoint`, the provider's `introspection_endpoint`, about an access token, with a new
    /// assertion. A token that is not good is an answer (RFC 7662 section 2.2), not an error.
    fn introspect(
        &mut self,
        http: &Http,
        endpoint: &Url,
        options: &AssertionOptions,
        token: &str,
    ) -> Result<Introspection, Error> {
        introspection::introspect(self, http, endpoint, options, token)
    }

    /// Posts `form` with a new assertion. Gives the answer if it is a success, and a refusal if it is none
    /// or says that it is none.
    fn post(
        &mut self,
        http: &Http,
        options: &AssertionOptions,
        form: &Form<'_>,
    ) -> Result<Response, Error> {
        form::post(self, http, options, form)
    }
}

impl<S> AssertionSource for Client<S>
where
    S: Signer,
    S::Error: Send + Sync + 'static,
{
    fn scheme(&self) -> &'static Scheme {
        self.credential().scheme()
    }

    fn client_id(&self) -> &ClientId {
        self.credential().client_id()
    }

    fn public_key(&self) -> &RsaPublicKey {
        self.credential().public_key()
    }

    fn assertion(&mut self, options: &AssertionOptions) -> Result<CompactJws<'_>, Error> {
        Self::assertion(self, options)
    }
}
