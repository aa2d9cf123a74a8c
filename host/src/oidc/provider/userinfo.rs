//! What a provider says about the owner of an access token (OpenID Connect Core section 5.3).

use core::fmt;

use privyseal_core::UnixTime;
use serde_json::{Map, Value};

use super::Provider;
use crate::error::Error;
use crate::http::{Http, MAX_CALL_RESPONSE, Response, Url, media_type};
use crate::oauth::{self, AccessToken, RequestKind};

/// The media type of a signed answer.
const JWT: &str = "application/jwt";

/// The claims about the owner of a token. `Debug` does not show them.
#[derive(Clone, PartialEq)]
pub struct UserInfo {
    claims: Map<String, Value>,
    signed: bool,
}

impl Provider {
    /// Asks the UserInfo endpoint with an access token. An answer that is a signed JWT is verified, and must
    /// be of this issuer and for `client_id`; one that is plain JSON has TLS as its only proof.
    pub fn userinfo(
        &mut self,
        http: &Http,
        now: UnixTime,
        token: &AccessToken,
        client_id: &str,
    ) -> Result<UserInfo, Error> {
        let url = self.metadata.userinfo_endpoint().cloned();
        let url = url.ok_or_else(|| Error::Response {
            url: self.metadata.jwks_uri().clone(),
            reason: "the provider of these keys names no userinfo_endpoint in its metadata"
                .to_owned(),
        })?;
        let response = http.retry_idempotent(|http| {
            let response = http.get(&url, token.expose(), MAX_CALL_RESPONSE)?;
            oauth::success(&url, RequestKind::Call, response, [token.expose()])
        })?;
        let (claims, signed) = if response.media_type.as_deref() == Some(JWT) {
            let claims = self.signed(http, now, client_id, &url, &response);
            // The server wrote the JWT when it had the token.
            (claims.map_err(|error| error.without(token.expose()))?, true)
        } else {
            (plain(&url, &response)?, false)
        };
        // Core section 5.3.2: sub is always there.
        if claims.get("sub").is_none_or(|sub| !sub.is_string()) {
            return Err(unusable(
                url,
                "sub is missing (OpenID Connect Core section 5.3.2)",
            ));
        }
        Ok(UserInfo { claims, signed })
    }

    fn signed(
        &mut self,
        http: &Http,
        now: UnixTime,
        client_id: &str,
        url: &Url,
        response: &Response,
    ) -> Result<Map<String, Value>, Error> {
        let text = core::str::from_utf8(&response.body)
            .map_err(|_| unusable(url.clone(), "the answer is no JWT"))?;
        let what = "userinfo answer";
        let jws = self.keys.verify(http, now, what, text.trim())?;
        let issuer = self.metadata.issuer();
        let claims = jws.judged_userinfo(issuer, client_id);
        Ok(claims.map_err(|error| error.of(what))?)
    }
}

fn plain(url: &Url, response: &Response) -> Result<Map<String, Value>, Error> {
    let claims = serde_json::from_slice(&response.body)
        .map_err(|_| unusable(url.clone(), "the answer is neither a JSON object nor a JWT"))?;
    let source = "OpenID Connect Core section 5.3.2";
    media_type::expect_json(response.media_type.as_deref(), source)
        .map_err(|reason| unusable(url.clone(), &reason))?;
    Ok(claims)
}

fn unusable(url: Url, reason: &str) -> Error {
    Error::Response {
        url,
        reason: reason.to_owned(),
    }
}

impl UserInfo {
    /// The claims.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Whether the provider signed them.
    pub const fn is_signed(&self) -> bool {
        self.signed
    }
}

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserInfo")
            .field("signed", &self.signed)
            .finish_non_exhaustive()
    }
}
