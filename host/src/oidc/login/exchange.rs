//! What goes to the provider for a login or a session, and what comes back.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::LoginError;
use crate::http::retry::retry;
use crate::http::{Response, Url};
use crate::oauth::{self, AccessToken, OAuthError, RequestKind};
use crate::oidc::id_token::IdTokenRules;
use crate::oidc::{OidcError, RelyingParty};

/// An access token, and what the id_token beside it says, once that was judged.
pub(super) struct Issued {
    pub(super) access: AccessToken,
    pub(super) id_token: Option<(Zeroizing<String>, Map<String, Value>)>,
    /// Why it could not be judged, where it came: nothing is wrong with it, or that is not known.
    pub(super) id_token_error: Option<OidcError>,
}

impl RelyingParty {
    /// Posts what is answered with success and nothing else.
    pub(super) fn told(
        &self,
        url: &Url,
        members: &[(&str, &str)],
        kind: RequestKind,
    ) -> Result<Response, OAuthError> {
        retry(&self.retry, &mut self.http.runtime(), |_| {
            self.post(&self.assertion, url, kind, members)
        })
    }

    /// Asks the token endpoint, tells `came` what came, and judges the id_token in it.
    pub(super) fn tokens(
        &self,
        members: &[(&str, &str)],
        kind: RequestKind,
        nonce: Option<&str>,
        came: impl FnOnce(&AccessToken),
    ) -> Result<Issued, LoginError> {
        let url = self.provider.metadata().token_endpoint();
        let told = self.told(url, members, kind);
        let access = told.and_then(|response| oauth::token_response(url, response));
        let access = access.map_err(|error| LoginError::of(kind, error))?;
        came(&access);
        let rules = IdTokenRules {
            client_id: self.source.client_id().as_str(),
            access_token: access.expose(),
            nonce,
            waits: kind == RequestKind::Code,
            ..IdTokenRules::default()
        };
        let judged = |token: &str| self.id_token(&mut self.http.runtime(), token, &rules);
        let judged = access.id_token().map(|token| judged(&token));
        let (id_token, id_token_error) = match judged.transpose() {
            Ok(id_token) => (id_token, None),
            // A session goes on without a new one.
            Err(error @ OidcError::OAuth(_)) if kind == RequestKind::Refresh => (None, Some(error)),
            Err(error) => return Err(LoginError::spent(kind, true, error)),
        };
        Ok(Issued {
            access,
            id_token,
            id_token_error,
        })
    }
}
