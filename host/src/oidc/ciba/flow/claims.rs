//! What the tokens say, once they are decrypted, verified and judged.

use privyseal_core::{Signer, Unwrapper};
use serde_json::{Map, Value};

use super::{Ciba, Tokens};
use crate::base::runtime::Runtime;
use crate::error::Error;
use crate::http::MAX_CALL_RESPONSE;
use crate::oauth::{self, RequestKind};
use crate::oidc::ciba::identity::{self, IdTokenRules, Identity};

impl<S, U, P> Ciba<'_, S, U, P>
where
    S: Signer + Clone + Send + Sync,
    S::Error: Send + Sync + 'static,
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
    P: Runtime,
{
    /// The claims of the id_token, and with `userinfo` those of the UserInfo endpoint too.
    pub fn identity(&mut self, tokens: &Tokens, userinfo: bool) -> Result<Identity, Error> {
        const WHAT: &str = "id_token";
        let now = self.runtime.now()?;
        let jws = identity::decrypted(WHAT, &tokens.id_token, self.unwrapper.as_deref_mut())?;
        let provider = &mut *self.provider;
        let verified = provider.keys().verify(self.http, now, WHAT, &jws)?;
        let rules = IdTokenRules {
            issuer: provider.metadata().issuer(),
            client_id: self.client.credential().client_id(),
            now,
            access_token: tokens.access.expose(),
            auth_req_id: &tokens.auth_req_id,
            nonce: None,
            acr: tokens.asked_acr,
        };
        let id_token = identity::id_token(&verified, &rules).map_err(|error| error.of(WHAT))?;
        let userinfo = if userinfo {
            Some(self.userinfo(tokens, &id_token)?)
        } else {
            None
        };
        Ok(Identity { id_token, userinfo })
    }

    fn userinfo(
        &mut self,
        tokens: &Tokens,
        id_token: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        let judged = self.judged_userinfo(tokens, id_token);
        // The server wrote the answer when it had the token.
        judged.map_err(|error| error.without(tokens.access.expose()))
    }

    fn judged_userinfo(
        &mut self,
        tokens: &Tokens,
        id_token: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        const WHAT: &str = "userinfo answer";
        let url = match self.provider.metadata().userinfo_endpoint() {
            Some(url) => url.clone(),
            None => self.below("/userinfo")?,
        };
        let bearer = tokens.access.expose();
        let response = self.http.get(&url, bearer, MAX_CALL_RESPONSE)?;
        // No claims are called `error`, and a JWT is no JSON.
        let response = oauth::success(&url, RequestKind::Call, response, [bearer])?;
        let now = self.runtime.now()?;
        let text = core::str::from_utf8(&response.body).unwrap_or_default();
        let is_json = response.media_type.as_deref() == Some("application/json");
        let claims = if is_json && self.unwrapper.is_none() && !is_jwt(text) {
            serde_json::from_slice(&response.body).map_err(|_| Error::Response {
                url,
                reason: "the answer is not a JSON object".to_owned(),
            })?
        } else {
            let jws = identity::decrypted(WHAT, text.trim(), self.unwrapper.as_deref_mut())?;
            let keys = self.provider.keys();
            let verified = keys.verify(self.http, now, WHAT, &jws)?;
            verified.claims().map_err(|error| error.of(WHAT))?
        };
        let rules = IdTokenRules {
            issuer: self.provider.metadata().issuer(),
            client_id: self.client.credential().client_id(),
            now,
            access_token: bearer,
            auth_req_id: &tokens.auth_req_id,
            nonce: None,
            acr: tokens.asked_acr,
        };
        let claims = identity::userinfo(claims, id_token, &rules);
        Ok(claims.map_err(|error| error.of(WHAT))?)
    }
}

fn is_jwt(text: &str) -> bool {
    !text.trim_start().starts_with('{')
}
