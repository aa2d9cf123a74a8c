//! One way of asking, whoever signs.

use privyseal_core::{ClientId, RsaPublicKey, Scheme, Signer};

use super::{
    Assertion, AssertionOptions, Client, Form, Introspection, form, introspection, token_url,
};
use crate::error::Error;
use crate::http::{BaseUrl, Http, Response, Url};
use crate::oauth::access_token::{AccessToken, RefreshToken};

/// "An assertion for this scheme and audience, please."
///
/// A [`Client`] builds it here and has a signer sign; a [`privyseal_gateway::DeviceClient`] has a device do
/// both, and checks the outcome. Either way what comes out was made by the core and verified.
pub trait AssertionSource: Send + Sync {
    /// Under whose rules.
    fn scheme(&self) -> &'static Scheme;

    /// Who signs.
    fn client_id(&self) -> &ClientId;

    /// With which key.
    fn public_key(&self) -> &RsaPublicKey;

    /// A new assertion, good once for as long as the scheme says.
    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, Error>;

    /// Asks the token endpoint below `base` for an access token, with a new assertion.
    fn access_token(
        &self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
    ) -> Result<AccessToken, Error> {
        form::token(self, http, base, options, None)
    }

    /// The same, for a token of that `scope` (RFC 6749 section 3.3): scopes with one space between them.
    /// Refused where the scheme says what the scope is.
    fn access_token_with_scope(
        &self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
        scope: &str,
    ) -> Result<AccessToken, Error> {
        let rule = self.scheme().token_request.scope;
        if let Some(rule) = rule.filter(|rule| rule.value != scope) {
            let reason = format!("must be {} ({})", rule.value, rule.source);
            return Err(Error::Option {
                option: "--scope",
                reason,
            });
        }
        form::token(self, http, base, options, Some(scope))
    }

    /// Asks for a new access token with a refresh token (RFC 6749 section 6) and a new assertion. The
    /// refresh token is spent by it, unless no connection came about.
    fn refreshed_token(
        &self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
        refresh_token: &RefreshToken,
    ) -> Result<AccessToken, Error> {
        let url = token_url(self.scheme(), base)?;
        let members = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ];
        form::request(self, http, &url, options, &members)
    }

    /// Asks `endpoint`, the provider's `introspection_endpoint`, about an access token, with a new
    /// assertion. A token that is not good is an answer (RFC 7662 section 2.2), not an error.
    fn introspect(
        &self,
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
        &self,
        http: &Http,
        options: &AssertionOptions,
        form: &Form<'_>,
    ) -> Result<Response, Error> {
        form::post(self, http, options, form)
    }
}

impl<S> AssertionSource for Client<S>
where
    S: Signer + Clone + Send + Sync,
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

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, Error> {
        Self::assertion(self, options)
    }
}
