//! One way of asking, whoever signs.

use privyseal_core::{ClientId, RsaPublicKey, Scheme};

use super::{
    AccessToken, Assertion, AssertionOptions, Form, Introspection, OAuthError, RefreshToken, form,
    introspection,
};
use crate::http::{BaseUrl, Http, Response, Url};

/// "An assertion for this scheme and audience, please."
///
/// A [`crate::oauth::SigningClient`] builds it here and has a signer sign; a [`privyseal_gateway::DeviceClient`] has a device do
/// both, and checks the outcome. Either way what comes out was made by the core and verified.
pub trait AssertionSource: Send + Sync {
    /// Under whose rules.
    fn scheme(&self) -> &'static Scheme;

    /// Who signs.
    fn client_id(&self) -> &ClientId;

    /// With which key.
    fn public_key(&self) -> &RsaPublicKey;

    /// A new assertion, good once for as long as the scheme says.
    ///
    /// # Errors
    ///
    /// The core or the signer refuses.
    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError>;

    /// Asks the token endpoint below `base` for an access token, with a new assertion.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::post`], or the answer is no token.
    fn access_token(
        &self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
    ) -> Result<AccessToken, OAuthError> {
        form::token(self, http, base, options, None)
    }

    /// The same, for a token of that `scope` (RFC 6749 section 3.3): scopes with one space between them.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::access_token`]; [`OAuthError::Scope`] where the scheme says what the scope is.
    fn access_token_with_scope(
        &self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
        scope: &str,
    ) -> Result<AccessToken, OAuthError> {
        let rule = self.scheme().token_request.scope;
        if let Some(rule) = rule.filter(|rule| rule.value != scope) {
            return Err(OAuthError::Scope {
                scope: rule.value,
                rule: rule.source,
            });
        }
        form::token(self, http, base, options, Some(scope))
    }

    /// Asks for a new access token with a refresh token (RFC 6749 section 6) and a new assertion. The
    /// refresh token is spent by it, unless no connection came about.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::access_token`].
    fn refreshed_token(
        &self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
        refresh_token: &RefreshToken,
    ) -> Result<AccessToken, OAuthError> {
        let url = base.join(self.scheme().token_request.path.value)?;
        let members = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ];
        form::request(self, http, &url, options, &members)
    }

    /// Asks `endpoint`, the provider's `introspection_endpoint`, about an access token, with a new
    /// assertion. A token that is not good is an answer (RFC 7662 section 2.2), not an error.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::post`], or the answer is none to such a request.
    fn introspect(
        &self,
        http: &Http,
        endpoint: &Url,
        options: &AssertionOptions,
        token: &str,
    ) -> Result<Introspection, OAuthError> {
        introspection::introspect(self, http, endpoint, options, token)
    }

    /// Posts `form` with a new assertion, and gives the answer if it is a success.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::assertion`]; [`OAuthError::Http`]; [`OAuthError::Refused`] if the answer is no success
    /// or says that it is none.
    fn post(
        &self,
        http: &Http,
        options: &AssertionOptions,
        form: &Form<'_>,
    ) -> Result<Response, OAuthError> {
        form::post(self, http, options, form)
    }
}
