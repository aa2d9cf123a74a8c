//! What goes to the provider for a login or a session, and what comes back.

use privyseal_core::limits::MAX_TOKEN_RESPONSE;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Login;
use crate::http::retry::retry;
use crate::http::{Response, Url};
use crate::oauth::{self, AccessToken, Form, OAuthError, RequestKind};
use crate::oidc::OidcError;
use crate::oidc::decryption::decrypted;
use crate::oidc::id_token::{ID_TOKEN, IdTokenRules};

/// An access token, and what the id_token beside it says, once that was judged.
pub(super) struct Issued {
    pub(super) access: AccessToken,
    pub(super) id_token: Option<(Zeroizing<String>, Map<String, Value>)>,
    /// Why it could not be judged, where it came: nothing is wrong with it, or that is not known.
    pub(super) id_token_error: Option<OidcError>,
}

impl Login {
    /// Posts what is answered with success and nothing else.
    pub(super) fn told(
        &self,
        url: &Url,
        members: &[(&str, &str)],
        kind: RequestKind,
    ) -> Result<Response, OAuthError> {
        retry(&self.policy, &mut self.http.runtime(), |_| {
            let form = Form::new(url, members, kind, MAX_TOKEN_RESPONSE);
            self.source.post(&self.http, &self.assertion, &form)
        })
    }

    /// Asks the token endpoint, and judges the id_token that comes.
    pub(super) fn tokens(
        &self,
        members: &[(&str, &str)],
        kind: RequestKind,
        nonce: Option<&str>,
    ) -> Result<Issued, OidcError> {
        let url = self.provider.metadata().token_endpoint();
        let access = oauth::token_response(url, self.told(url, members, kind)?)?;
        let Some(token) = access.id_token() else {
            return Ok(Issued {
                access,
                id_token: None,
                id_token_error: None,
            });
        };
        let rules = IdTokenRules {
            client_id: self.source.client_id().as_str(),
            access_token: access.expose(),
            nonce,
            waits: kind == RequestKind::Code,
            ..IdTokenRules::default()
        };
        let runtime = &mut self.http.runtime();
        let judged = decrypted(ID_TOKEN, &token, &self.unwrappers, self.registered);
        let judged = judged.and_then(|jws| {
            let claims = self.provider.id_token(&self.http, runtime, &jws, &rules)?;
            Ok((jws, claims))
        });
        let (id_token, id_token_error) = match judged {
            Ok(judged) => (Some(judged), None),
            // A session goes on without a new one.
            Err(error @ OidcError::OAuth(_)) if kind == RequestKind::Refresh => (None, Some(error)),
            Err(error) => return Err(error),
        };
        Ok(Issued {
            access,
            id_token,
            id_token_error,
        })
    }
}
