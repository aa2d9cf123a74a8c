//! Login of a person in a browser: the authorization code flow (OpenID Connect Core section 3.1), as steps that a web
//! application takes.
//!
//! ```text
//! RelyingParty::start   -> where the browser goes, and a LoginState      state, nonce and PKCE (S256) each time
//!                    the person logs in there, and comes back
//! RelyingParty::finish  <- what the browser came back with, and the LoginState
//!                 -> a Session                                     who it is, tokens, refresh, logout
//! ```
//!
//! No step waits for a person, and none is bound to a web framework or a process: a [`LoginState`] can be kept in
//! memory, or sealed in a cookie. Each request to the provider carries an assertion of its own.

mod callback;
mod error;
mod exchange;
mod loopback;
mod options;
mod session;
mod state;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::payload::AuthorizationRequest;
use privyseal_core::{KeyEncryption, UnixTime};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::base::clock;
use crate::http::Url;
use crate::http::retry::retry;
use crate::jose::jws::unique_members;
use crate::oauth::{
    self, AccessToken, Assertion, AssertionOptions, Introspection, OAuthError, RefreshToken,
    RequestKind, SignedRequest, form_body,
};
use crate::oidc::discovery::RS256;
use crate::oidc::provider::CLOCK_LEEWAY;
use crate::oidc::{OidcError, RelyingParty};

pub use error::{LIFETIME, LoginError};
pub use loopback::LoopbackRedirect;
pub use options::{LoginOptions, Prompt};
pub use session::Session;
pub use state::LoginState;

use crate::oidc::id_token::ID_TOKEN;
use callback::Callback;
use exchange::Issued;

/// An address for the person's browser. What is in it is for that browser only: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserUrl(String, Option<u64>);

impl RelyingParty {
    /// Checks what can be known before a person is asked to log in: the provider's keys can be read, its clock and this
    /// one agree (where the keys were not read before), its metadata fit what is done here, and the decryption keys can do
    /// what was registered, or something of what the provider may use; with `userinfo`, for [`Session::userinfo`] too. Gives
    /// what of that they cannot do.
    ///
    /// # Errors
    ///
    /// [`LoginError`]: the login would end so.
    pub fn prepare(&self, userinfo: bool) -> Result<Vec<KeyEncryption>, LoginError> {
        let lists: [(_, &[&str]); 3] = [
            ("response_types_supported", &["code"]),
            ("response_modes_supported", &["query"]),
            ("grant_types_supported", &["authorization_code"]),
        ];
        Ok(self.prepared(&mut self.http.runtime(), &lists, userinfo)?)
    }

    /// The same, before a refresh token is spent.
    ///
    /// # Errors
    ///
    /// [`LoginError`]: the refresh would end so.
    pub fn prepare_refresh(&self) -> Result<Vec<KeyEncryption>, LoginError> {
        let lists: [(_, &[&str]); 1] = [("grant_types_supported", &["refresh_token"])];
        Ok(self.prepared(&mut self.http.runtime(), &lists, false)?)
    }

    /// Where the browser is sent, and what must be kept until it comes back. The provider is asked for nothing, unless its
    /// metadata demand pushed requests (RFC 9126): then the address is good for as long as it says, a minute mostly.
    ///
    /// # Errors
    ///
    /// [`LoginError`]: an option breaks a rule, or the provider offers no such login, or refuses what is pushed.
    pub fn start(&self, options: &LoginOptions) -> Result<(BrowserUrl, LoginState), LoginError> {
        options.check()?;
        let metadata = self.provider.metadata();
        let endpoint = self.endpoint("authorization_endpoint")?;
        if !metadata.may_support("code_challenge_methods_supported", &["S256"]) {
            return Err(LoginError::NoPkce);
        }
        let prompt = options.prompt.map(Prompt::name);
        if let Some(prompt) = prompt {
            metadata.fits(&[("prompt_values_supported", &[prompt])])?;
        }
        let state = LoginState::new(metadata.issuer(), options)?;
        let challenge = Sha256::digest(state.0.verifier.as_bytes());
        let challenge = Base64UrlUnpadded::encode_string(&challenge);
        let asked = AuthorizationRequest {
            redirect_uri: &options.redirect_uri,
            scope: &options.scope,
            state: &state.0.state,
            nonce: &state.0.nonce,
            code_challenge: &challenge,
            prompt,
            login_hint: options.login_hint.as_deref(),
            max_age: options.max_age,
        };
        let is_signed =
            options.signed_request || metadata.says_yes("require_signed_request_object");
        let signed = is_signed.then(|| self.signed_request(&asked)).transpose()?;
        let max_age = asked.max_age.map(|seconds| seconds.to_string());
        let members = [
            ("response_type", Some("code")),
            ("client_id", Some(self.source.client_id().as_str())),
            ("scope", Some(asked.scope)),
            ("request", signed.as_ref().map(Assertion::as_str)),
            ("redirect_uri", Some(asked.redirect_uri)),
            ("state", Some(asked.state)),
            ("nonce", Some(asked.nonce)),
            ("code_challenge", Some(asked.code_challenge)),
            ("code_challenge_method", Some("S256")),
            ("prompt", asked.prompt),
            ("login_hint", asked.login_hint),
            ("max_age", max_age.as_deref()),
        ];
        // OpenID Connect Core section 6.1: what OAuth demands stands beside a signed request, too.
        let count = if is_signed { 4 } else { members.len() };
        let members = members.into_iter().take(count);
        let members: Vec<_> = members
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let mut url = self.brought(endpoint, &members)?;
        url.1 = url.1.or_else(|| signed?.claim("exp")?.as_u64());
        Ok((url, state))
    }

    fn signed_request(&self, asked: &AuthorizationRequest<'_>) -> Result<Assertion, LoginError> {
        let metadata = self.provider.metadata();
        let offered = "request_parameter_supported";
        if metadata.says_no(offered) {
            return Err(OidcError::Unfit(offered).into());
        }
        metadata.fits(&[("request_object_signing_alg_values_supported", RS256)])?;
        let assertion = AssertionOptions {
            audience: Some(metadata.issuer().to_owned()),
            lifetime: None,
            ..self.assertion.clone()
        };
        let request = SignedRequest::Authorization(asked);
        Ok(self.source.signed_request(&assertion, request)?)
    }

    /// The address by which the browser brings the request, or what stands for it.
    fn brought(&self, endpoint: &Url, members: &[(&str, &str)]) -> Result<BrowserUrl, LoginError> {
        let metadata = self.provider.metadata();
        if !metadata.says_yes("require_pushed_authorization_requests") {
            return BrowserUrl::new(endpoint, members);
        }
        let url = self.endpoint("pushed_authorization_request_endpoint")?;
        let is_signed = members.iter().any(|(name, _)| *name == "request");
        let sends_client_id = self.source.scheme().token_request().client_id().value();
        let is_due = |(name, _): &(&str, &str)| match *name {
            "request" => true,
            "client_id" => !sends_client_id,
            _ => !is_signed,
        };
        let members: Vec<_> = members.iter().copied().filter(is_due).collect();
        let response = self.told(url, &members, RequestKind::Authorization)?;
        let read = request_uri(&response.body);
        let (uri, seconds) = read.map_err(|fault| OAuthError::response(url, fault))?;
        let client_id = self.source.client_id().as_str();
        let members = [("client_id", client_id), ("request_uri", &uri)];
        let mut brought = BrowserUrl::new(endpoint, &members)?;
        brought.1 = Some(clock::now()?.saturating_add(seconds).as_secs());
        Ok(brought)
    }

    /// Who it is. `callback` is what the browser came back with: the whole address, or its query. An error may
    /// also stand in its fragment, which no browser sends by itself (eHealth section 5.3.1.1.3).
    ///
    /// # Errors
    ///
    /// [`LoginError::Callback`] for what is not the answer to this login; [`LoginError::Oidc`] if the person or the
    /// provider said no, or the code cannot be exchanged; [`LoginError::Spent`] if it was, and the id_token is not accepted or cannot be
    /// judged, or if nobody knows whether it was.
    #[allow(clippy::needless_pass_by_value, reason = "a login is finished once")]
    pub fn finish(&self, callback: &str, state: LoginState) -> Result<Session, LoginError> {
        let now = clock::now()?;
        let metadata = self.provider.metadata();
        self.judge_provider(Some(&state.0.issuer))?;
        state.judge_start(now)?;
        let iss_is_due = metadata.says_yes("authorization_response_iss_parameter_supported");
        let callback = Callback::parse(callback)?;
        let code = callback.code(&state, iss_is_due, self.endpoint("authorization_endpoint")?)?;
        let members = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &state.0.redirect_uri),
            ("code_verifier", &state.0.verifier),
        ];
        // What it is spent for can be judged, then.
        self.provider.read_keys(&self.http, now)?;
        let kind = RequestKind::Code;
        let issued = self.tokens(&members, kind, Some(&state.0.nonce), |_| {})?;
        let Some((id_token, claims)) = issued.id_token else {
            let url = metadata.token_endpoint();
            let reason = "id_token is missing (OpenID Connect Core section 3.1.3.3)";
            let error = OAuthError::response(url, reason);
            return Err(LoginError::spent(kind, true, error));
        };
        let judged = state.judge_age(&claims, now);
        judged.map_err(|error| LoginError::spent(kind, true, error))?;
        Ok(Session::new(issued.access, id_token, claims, now))
    }

    /// New tokens for a refresh token, which is spent by it. An id_token that comes with them is judged; where that cannot
    /// be done, as the provider's keys or a decryption key are out of reach, the error says why beside them. Whether it is
    /// of the same person as before, a [`Session`] knows. That may take two minutes, before which `came` is told of the
    /// tokens, for who may not wait so long.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`]: the provider refuses; [`LoginError::Spent`]: nobody knows whether it took the token, or what
    /// it gave for it is not accepted.
    pub fn renew(
        &self,
        refresh: &RefreshToken,
        came: impl FnOnce(&AccessToken),
    ) -> Result<(AccessToken, Option<OidcError>), LoginError> {
        let issued = self.renewed(refresh, came)?;
        Ok((issued.access, issued.id_token_error))
    }

    fn renewed(
        &self,
        refresh: &RefreshToken,
        came: impl FnOnce(&AccessToken),
    ) -> Result<Issued, LoginError> {
        let members = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
        ];
        // What it is spent for can be judged, then.
        self.provider.read_keys(&self.http, clock::now()?)?;
        self.tokens(&members, RequestKind::Refresh, None, came)
    }

    /// What the provider says about an access token (RFC 7662).
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`].
    pub fn introspect(&self, access_token: &str) -> Result<Introspection, LoginError> {
        let endpoint = self.provider.metadata().introspection_endpoint();
        let endpoint = endpoint.ok_or(OidcError::NotOffered("introspection_endpoint"))?;
        Ok(retry(&self.retry, &mut self.http.runtime(), |_| {
            self.source
                .introspect(&self.http, endpoint, &self.assertion, access_token)
        })?)
    }

    /// Makes a refresh or access token worthless (RFC 7009). One that is so already is no error.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`].
    pub fn revoke(&self, token: &str) -> Result<(), LoginError> {
        let endpoint = self.endpoint("revocation_endpoint")?;
        match self.told(endpoint, &[("token", token)], RequestKind::Revocation) {
            // Keycloak says so of one that is worthless already (RFC 7009 section 2.2).
            Err(OAuthError::Refused(refusal)) if refusal.code() == Some("invalid_token") => Ok(()),
            outcome => Ok(outcome.map(drop)?),
        }
    }

    /// Ends the session of a refresh token without the person's browser, as Keycloak has it (eHealth section 5.9).
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`].
    pub fn end_session(&self, refresh: &RefreshToken) -> Result<(), LoginError> {
        let endpoint = self.endpoint("end_session_endpoint")?;
        let members = [("refresh_token", refresh.expose())];
        let response = self.told(endpoint, &members, RequestKind::Logout)?;
        if matches!(response.body.trim_ascii(), b"" | b"{}") {
            return Ok(());
        }
        let reason = "the answer says more than that it is done, and should be empty (204): the session may go on";
        Err(OAuthError::response(endpoint, reason).into())
    }

    /// Where a person takes back what they allowed this client, which it must link to (eHealth sections 5.6 and
    /// 7.1.3); `None` for schemes without realms.
    pub fn consent_url(&self) -> Option<String> {
        let issuer = self.provider.metadata().issuer();
        oauth::has_realms(self.source.scheme()).then(|| format!("{issuer}/account"))
    }

    fn endpoint(&self, name: &'static str) -> Result<&Url, OidcError> {
        self.provider.metadata().offered(name)
    }
}

/// Of the response to a pushed request (RFC 9126 section 2.2), and for how many seconds it is good. The error is a sentence
/// about it.
fn request_uri(body: &[u8]) -> Result<(String, u64), String> {
    let answer: Value = unique_members(body).map_err(|fault| format!("the answer {fault}"))?;
    let uri = answer["request_uri"].as_str().unwrap_or_default();
    if uri.is_empty() || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("request_uri is no text of visible ASCII (RFC 9126 section 2.2)".to_owned());
    }
    let seconds = answer["expires_in"].as_u64().filter(|it| *it > 0);
    let seconds = seconds.ok_or("expires_in is not a positive integer (RFC 9126 section 2.2)")?;
    Ok((uri.to_owned(), seconds))
}

impl BrowserUrl {
    /// An endpoint may have a query of its own, which stays; nothing may be there twice (RFC 6749 section 3.1).
    fn new(endpoint: &Url, members: &[(&str, &str)]) -> Result<Self, LoginError> {
        let (mark, own) = endpoint
            .as_str()
            .split_once('?')
            .map_or(('?', ""), |(_, own)| ('&', own));
        let is_own =
            |name: &str| form_urlencoded::parse(own.as_bytes()).any(|(own, _)| own == name);
        if let Some((name, _)) = members.iter().find(|(name, _)| is_own(name)) {
            return Err(OidcError::Twice((*name).to_owned()).into());
        }
        let query = form_body(members.iter().copied());
        let query = String::from_utf8_lossy(&query);
        let text = format!("{}{mark}{query}", endpoint.as_str());
        Ok(Self(text, None))
    }

    /// The address, for a redirect. Not for logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Until when the request in it is good, where that was pushed or signed.
    pub fn expires_at(&self) -> Option<UnixTime> {
        UnixTime::from_secs(self.1?).ok()
    }
}

privyseal_core::opaque_debug! { [] BrowserUrl; }

#[cfg(test)]
mod tests {
    use super::request_uri;

    #[test]
    fn what_a_pushed_request_is_answered_with() {
        let good = br#"{"request_uri":"urn:a:b","expires_in":60}"#;
        assert_eq!(request_uri(good).unwrap(), ("urn:a:b".to_owned(), 60));
        for (body, words) in [
            ("<html>", "the answer is not JSON"),
            ("{}", "request_uri is no text"),
            (
                r#"{"request_uri":"a\u001b","expires_in":60}"#,
                "request_uri is no text",
            ),
            (
                r#"{"request_uri":"","expires_in":60}"#,
                "request_uri is no text",
            ),
            (
                r#"{"request_uri":"a","request_uri":"b","expires_in":60}"#,
                "has a member twice",
            ),
            (
                r#"{"request_uri":"a","expires_in":0}"#,
                "expires_in is not a positive",
            ),
            (r#"{"request_uri":"a"}"#, "expires_in is not a positive"),
        ] {
            let error = request_uri(body.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{body}: {error}");
        }
    }
}
