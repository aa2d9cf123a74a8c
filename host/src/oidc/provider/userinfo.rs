//! What a provider says about the owner of an access token (OpenID Connect Core section 5.3).

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{CLOCK_LEEWAY, Keys, Provider};
use crate::base::runtime::Runtime;
use crate::http::retry::retry_slow;
use crate::http::{Http, MAX_CALL_RESPONSE, Response, Url};
use crate::jose::jws::{self, judge_times, judge_userinfo};
use crate::oauth::{self, AccessToken, OAuthError, RequestKind};
use crate::oidc::OidcError;

/// The media type of a signed response.
const JWT: &str = "application/jwt";

/// Its name in the metadata.
pub(in crate::oidc) const ENDPOINT: &str = "userinfo_endpoint";

/// What errors call a signed response.
pub(in crate::oidc) const WHAT: &str = "userinfo answer";

impl Provider {
    /// Asks the UserInfo endpoint with an access token: gives the claims, and whether the provider signed them. A response that is a signed JWT is verified, and must
    /// be of this issuer and for `client_id`; one that is plain JSON has TLS as its only proof.
    ///
    /// # Errors
    ///
    /// [`OidcError::OAuth`] if the provider names no such endpoint, refuses, or answers with something else;
    /// [`OidcError::Jose`] if what it says is not accepted.
    pub fn userinfo(
        &self,
        http: &Http,
        token: &AccessToken,
        client_id: &str,
    ) -> Result<(Map<String, Value>, bool), OidcError> {
        let runtime = &mut http.runtime();
        let as_it_is = |text: &str| Ok(Zeroizing::new(text.to_owned()));
        let (claims, signed) = self.userinfo_by(http, runtime, token, false, as_it_is)?;
        let judged = judge_userinfo(&claims, self.metadata.issuer(), client_id, signed);
        judged.map_err(|error| error.of(WHAT).without(token.expose()))?;
        Ok((claims, signed))
    }

    /// The claims, verified where they are signed, and whether they are. A JWT is what `decrypt` makes of it; only that is
    /// taken where the claims must be encrypted.
    pub(in crate::oidc) fn userinfo_by(
        &self,
        http: &Http,
        runtime: &mut impl Runtime,
        token: &AccessToken,
        is_encrypted: bool,
        decrypt: impl FnOnce(&str) -> Result<Zeroizing<String>, OidcError>,
    ) -> Result<(Map<String, Value>, bool), OidcError> {
        let url = self.metadata.offered(ENDPOINT)?;
        // Also where no answer came in time: a person has confirmed, who cannot be asked again for nothing.
        let response = retry_slow(http.policy(), runtime, |_| {
            let response = http.get(url, token.expose(), MAX_CALL_RESPONSE)?;
            // No claims are called `error`, and a JWT is no JSON.
            oauth::success(url, RequestKind::UserInfo, response, [token.expose()])
        })?;
        // Who sends its keys proves with them who it is.
        let is_signed = is_encrypted
            || matches!(self.keys, Keys::Sent(_))
            || response.media_type.as_deref() == Some(JWT);
        if !is_signed {
            return Ok((plain(url, response)?, false));
        }
        let text = core::str::from_utf8(&response.body).ok().map(str::trim);
        let text = text
            .filter(|text| !text.starts_with('{'))
            .ok_or_else(|| OAuthError::response(url, "the answer is no signed or encrypted JWT"))?;
        let verified = self.verify_given(http, runtime, WHAT, &decrypt(text)?, true);
        let now = runtime.now()?;
        let claims = verified.and_then(|jws| {
            let claims = jws.claims().and_then(|claims| {
                judge_times(&claims, now, CLOCK_LEEWAY)?;
                Ok(claims)
            });
            Ok(claims.map_err(|error| error.of(WHAT))?)
        });
        // The server wrote the JWT when it had the token.
        let claims = claims.map_err(|error| error.without(token.expose()))?;
        Ok((claims, true))
    }
}

/// The claims in a response that is not signed.
fn plain(url: &Url, response: Response) -> Result<Map<String, Value>, OAuthError> {
    let source = "OpenID Connect Core section 5.3.2";
    oauth::parsed(url, response, source, |body| {
        let claims = jws::unique_members(&body);
        claims.map_err(
            |_| "the answer is neither a JSON object whose members are there once nor a JWT",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_there_once() {
        let url = "https://idp.example/userinfo".parse().unwrap();
        for (body, is_good) in [
            (r#"{"sub":"alice","name":"A"}"#, true),
            (r#"{"sub":"mallory","sub":"alice"}"#, false),
            ("[]", false),
        ] {
            let response = Response {
                status: 200,
                retry_after: None,
                location: None,
                media_type: Some("application/json".to_owned()),
                challenge: None,
                max_age: None,
                date: None,
                body: body.as_bytes().to_vec().into(),
            };
            assert_eq!(plain(&url, response).is_ok(), is_good, "{body}");
        }
    }
}
