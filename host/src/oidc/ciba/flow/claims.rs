//! What the tokens say, once they are decrypted, verified and judged.

use privyseal_core::{Signer, UnixTime, Unwrapper};
use serde_json::{Map, Value};

use super::{Ciba, Tokens};
use crate::base::runtime::Runtime;
use crate::oauth::OAuthError;
use crate::oidc::OidcError;
use crate::oidc::ciba::CibaError;
use crate::oidc::ciba::identity::{self, Identity};
use crate::oidc::id_token::{self, IdTokenRules};
use crate::oidc::provider::userinfo;

impl<S, U, P> Ciba<'_, S, U, P>
where
    S: Signer + Clone + Send + Sync,
    S::Error: Send + Sync + 'static,
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
    P: Runtime,
{
    /// The claims of the id_token, and with `userinfo` those of the UserInfo endpoint too.
    ///
    /// # Errors
    ///
    /// [`CibaError::Oidc`]: what the provider sent cannot be decrypted, is not signed by it, or breaks a rule.
    pub fn identity(&mut self, tokens: &Tokens, userinfo: bool) -> Result<Identity, CibaError> {
        const WHAT: &str = "id_token";
        let now = self.runtime.now()?;
        let jws = identity::decrypted(WHAT, &tokens.id_token, self.unwrapper.as_deref_mut())?;
        let verified = self.provider.verify(self.http, now, WHAT, &jws)?;
        let claims = id_token::judge(&verified, &self.rules(tokens, now))
            .map_err(|error| OidcError::from(error.of(WHAT)))?;
        let userinfo = userinfo.then(|| {
            let judged = self.userinfo(tokens, &claims);
            // The server wrote the response when it had the token.
            judged.map_err(|error| error.without(tokens.access.expose()))
        });
        let userinfo = userinfo.transpose()?;
        Ok(Identity {
            id_token: claims,
            userinfo,
        })
    }

    fn userinfo(
        &mut self,
        tokens: &Tokens,
        id_token: &Map<String, Value>,
    ) -> Result<Map<String, Value>, OidcError> {
        const WHAT: &str = userinfo::WHAT;
        let url = match self.provider.metadata().userinfo_endpoint() {
            Some(url) => url.clone(),
            None => self.below("/userinfo")?,
        };
        let response = userinfo::ask(self.http, &url, &tokens.access)?;
        let now = self.runtime.now().map_err(OAuthError::from)?;
        let text = core::str::from_utf8(&response.body)
            .unwrap_or_default()
            .trim();
        let is_json = response.media_type.as_deref() == Some("application/json");
        let claims = if is_json && self.unwrapper.is_none() && text.starts_with('{') {
            userinfo::plain(&url, &response)?
        } else {
            let jws = identity::decrypted(WHAT, text, self.unwrapper.as_deref_mut())?;
            let verified = self.provider.verify(self.http, now, WHAT, &jws)?;
            verified.claims().map_err(|error| error.of(WHAT))?
        };
        let claims = id_token::judge_userinfo(claims, id_token, &self.rules(tokens, now));
        Ok(claims.map_err(|error| error.of(WHAT))?)
    }

    fn rules<'r>(&'r self, tokens: &'r Tokens, now: UnixTime) -> IdTokenRules<'r> {
        IdTokenRules {
            issuer: self.provider.metadata().issuer(),
            client_id: self.client.credential().client_id(),
            now,
            access_token: tokens.access.expose(),
            auth_req_id: Some(&tokens.auth_req_id),
            nonce: None,
            acr: tokens.asked_acr,
        }
    }
}
