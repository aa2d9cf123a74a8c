//! One way of asking, for every kind of signer.

use privyseal_core::cert::Validity;
use privyseal_core::payload::AuthorizationRequest;
use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use privyseal_core::{ClientId, Credential, RsaPublicKey, SchemeRules, UnixTime};

use super::{
    AccessToken, Assertion, AssertionOptions, AuthenticationOptions, Introspection, OAuthError,
    RefreshToken, RequestKind, response,
};
use crate::http::{BaseUrl, Http, Response, Url};
use crate::oauth::form::{PUBLIC_MEMBERS, form_body, max_response};

/// What a signed request asks.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SignedRequest<'a> {
    /// That a person be asked (CIBA Core section 7.1.1). The key signs twice: first the `login_hint_token`, then the
    /// request that carries it.
    Authentication(&'a AuthenticationOptions),
    /// That a person log in: the provider knows that nobody changed what the browser brings it (RFC 9101).
    Authorization(&'a AuthorizationRequest<'a>),
}

/// "An assertion for this scheme and audience, please."
///
/// A [`crate::oauth::SigningClient`] builds it here and has a signer sign; a gateway does both, and the outcome is
/// checked. Either way what comes out was made by the core and verified.
pub trait AssertionSource: Send + Sync {
    /// Who signs, for which scheme, with which key.
    fn credential(&self) -> &Credential<Vec<u8>>;

    /// Under whose rules.
    fn scheme(&self) -> &'static SchemeRules {
        self.credential().scheme()
    }

    /// Who signs.
    fn client_id(&self) -> &ClientId {
        self.credential().client_id()
    }

    /// With which key.
    fn public_key(&self) -> &RsaPublicKey {
        self.credential().public_key()
    }

    /// When the certificates are valid that it sends at `now`; `None` where a `kid` names the key.
    fn validity(&self, now: UnixTime) -> Option<&Validity> {
        let _ = now;
        self.credential().validity()
    }

    /// A new assertion, good once for as long as the scheme says.
    ///
    /// # Errors
    ///
    /// The core or the signer refuses.
    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError>;

    /// A new signed request. `options` name the provider's issuer as the audience.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::assertion`]; [`OAuthError::NoSignedRequests`] for a source that signs assertions only.
    fn signed_request(
        &self,
        options: &AssertionOptions,
        asked: SignedRequest<'_>,
    ) -> Result<Assertion, OAuthError> {
        let _ = (options, asked);
        Err(OAuthError::NoSignedRequests)
    }

    /// Asks the token endpoint below `base` for an access token, with a new assertion.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::assertion`] and [`AssertionSource::post`], or the response is not a token.
    fn access_token(
        &self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
    ) -> Result<AccessToken, OAuthError> {
        let scope = self.scheme().token_request().scope();
        client_credentials(self, http, base, options, scope.map(|rule| rule.value()))
    }

    /// The same, for a token of that `scope` (RFC 6749 section 3.3): scopes with one space between them.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::access_token`]; [`OAuthError::Scope`] where the scheme says what the scope is;
    /// [`OAuthError::ScopeSyntax`].
    fn access_token_with_scope(
        &self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
        scope: &str,
    ) -> Result<AccessToken, OAuthError> {
        let rules = &self.scheme().token_request();
        if let Some(rule) = rules.scope().filter(|rule| rule.value() != scope) {
            return Err(OAuthError::Scope {
                scope: rule.value(),
                rule: rule.source(),
            });
        }
        check_scope(scope)?;
        client_credentials(self, http, base, options, Some(scope))
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
        let members = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ];
        token(self, http, base, options, &members)
    }

    /// Asks `endpoint`, the provider's `introspection_endpoint`, about an access token, with a new
    /// assertion. A token that is not good is a response (RFC 7662 section 2.2), not an error.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::assertion`] and [`AssertionSource::post`], or the response does not fit such a request.
    fn introspect(
        &self,
        http: &Http,
        endpoint: &Url,
        options: &AssertionOptions,
        access_token: &str,
    ) -> Result<Introspection, OAuthError> {
        let members = [("token", access_token), ("token_type_hint", "access_token")];
        let (kind, assertion) = (RequestKind::Introspection, self.assertion(options)?);
        let response = self.post(http, endpoint, kind, &members, &assertion)?;
        let read = Introspection::from_response;
        response::parsed(endpoint, response, "RFC 7662 section 2.2", read)
    }

    /// Posts `members`, in this order, with an `assertion` that is new and for `url`, and gives the response if it is a
    /// success. `kind` explains a refusal; of what is sent none shows a value.
    ///
    /// # Errors
    ///
    /// [`OAuthError::Http`]; [`OAuthError::Refused`] if the response is not a success, or says that it is not.
    fn post(
        &self,
        http: &Http,
        url: &Url,
        kind: RequestKind,
        members: &[(&str, &str)],
        assertion: &Assertion,
    ) -> Result<Response, OAuthError> {
        let sends_client_id = self.scheme().token_request().client_id().value();
        let client_id = sends_client_id.then(|| self.client_id().as_str());
        let authentication = [
            ("client_id", client_id),
            ("client_assertion_type", Some(CLIENT_ASSERTION_TYPE)),
            ("client_assertion", Some(assertion.as_str())),
        ];
        let authentication = authentication.into_iter();
        let authentication = authentication.filter_map(|(name, value)| Some((name, value?)));
        let body = form_body(members.iter().copied().chain(authentication));
        let response = http.post_form(url, &body, max_response(kind))?;
        let secrets = members
            .iter()
            .filter(|(name, _)| !PUBLIC_MEMBERS.contains(name));
        let secrets = secrets.map(|(_, value)| *value).chain([assertion.as_str()]);
        response::success(url, kind, response, secrets)
    }
}

/// RFC 6749 section 3.3.
pub(crate) fn check_scope(scope: &str) -> Result<(), OAuthError> {
    let is_token = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    let mut values = scope.split(' ');
    if values.all(|value| !value.is_empty() && value.bytes().all(is_token)) {
        Ok(())
    } else {
        Err(OAuthError::ScopeSyntax)
    }
}

/// Asks for a token with what the scheme's form holds, and the scope.
fn client_credentials<A: AssertionSource + ?Sized>(
    source: &A,
    http: &Http,
    base: &BaseUrl,
    options: &AssertionOptions,
    scope: Option<&str>,
) -> Result<AccessToken, OAuthError> {
    let rules = source.scheme().token_request();
    let mut members = vec![("grant_type", rules.grant_type().value())];
    members.extend(scope.map(|scope| ("scope", scope)));
    members.extend(rules.members());
    token(source, http, base, options, &members)
}

/// Posts `members` to the token endpoint below `base`, and reads the token in the response.
fn token<A: AssertionSource + ?Sized>(
    source: &A,
    http: &Http,
    base: &BaseUrl,
    options: &AssertionOptions,
    members: &[(&str, &str)],
) -> Result<AccessToken, OAuthError> {
    let url = base.token_endpoint(source.scheme().token_request().path().value())?;
    let (kind, assertion) = (RequestKind::Token, source.assertion(options)?);
    response::token(&url, source.post(http, &url, kind, members, &assertion)?)
}
