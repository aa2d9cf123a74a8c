//! Signed authentication requests (CIBA Core section 7.1.1), with the `login_hint_token` that they carry.

use core::fmt;

use privyseal_core::Signer;
use privyseal_core::payload::{AcrValues, AuthenticationRequest};
use zeroize::Zeroizing;

use super::SigningClient;
use crate::oauth::{Assertion, AssertionOptions, OAuthError};

/// What an authentication request asks. Its tokens are wiped, and `Debug` does not show them.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticationOptions {
    /// `scope`: `openid`, `service:CODE`, and more, with one space between them.
    pub scope: String,
    /// The `user_identifier_token` of the discovery session: for which user.
    pub user_identifier_token: Zeroizing<String>,
    /// How the user must prove who they are; the server's default where there is none.
    pub acr_values: Option<AcrValues>,
    /// Seconds that the request may wait for the user.
    pub requested_expiry: Option<u64>,
    /// The bearer token of the ping callback.
    pub client_notification_token: Option<Zeroizing<String>>,
    /// Claims wanted in the id_token, in any order, each once.
    pub id_token_claims: Vec<String>,
    /// Claims wanted from the UserInfo endpoint, in any order, each once.
    pub userinfo_claims: Vec<String>,
}

impl<S> SigningClient<S>
where
    S: Signer + Clone,
    S::Error: Send + Sync + 'static,
{
    /// A signed authentication request. The key signs twice: first the `login_hint_token`, then the
    /// request that carries it.
    ///
    /// # Errors
    ///
    /// [`OAuthError::Core`] for a scheme without such requests, or with the field that breaks a rule;
    /// [`OAuthError::Signer`].
    pub fn authentication_request(
        &self,
        options: &AssertionOptions,
        asked: &AuthenticationOptions,
    ) -> Result<Assertion, OAuthError> {
        let now = options.moment()?;
        let hint = self
            .credential
            .prepare_login_hint(now, &asked.user_identifier_token)?;
        let hint = self.signed(hint)?;

        let jti = options.jti_or_new()?;
        let request = options.request(now, &jti)?;
        let (id_token_claims, userinfo_claims) = (
            sorted(&asked.id_token_claims),
            sorted(&asked.userinfo_claims),
        );
        let authentication = AuthenticationRequest {
            scope: &asked.scope,
            login_hint_token: hint.as_str(),
            acr_values: asked.acr_values,
            requested_expiry: asked.requested_expiry,
            client_notification_token: asked
                .client_notification_token
                .as_deref()
                .map(String::as_str),
            id_token_claims: &id_token_claims,
            userinfo_claims: &userinfo_claims,
        };
        self.signed(self.credential.prepare_request(&request, authentication)?)
    }
}

/// In the order that canonical JSON wants.
fn sorted(names: &[String]) -> Vec<&str> {
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names
}

impl fmt::Debug for AuthenticationOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticationOptions")
            .field("scope", &self.scope)
            .field("acr_values", &self.acr_values)
            .field("requested_expiry", &self.requested_expiry)
            .field("id_token_claims", &self.id_token_claims)
            .field("userinfo_claims", &self.userinfo_claims)
            .finish_non_exhaustive()
    }
}
