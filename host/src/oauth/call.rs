//! Calls with an access token.

use privyseal_core::named;
use ureq::http::Method;

use super::{AccessToken, OAuthError, response};
use crate::http::retry::retry;
use crate::http::{BaseUrl, Http, MAX_CALL_RESPONSE};

named! {
    /// What a call does (RFC 9110 section 9.3, RFC 5789), named as in a request.
    #[non_exhaustive]
    pub enum CallMethod {
        /// Reads.
        Get = "GET",
        /// Hands something over.
        Post = "POST",
        /// Replaces.
        Put = "PUT",
        /// Changes.
        Patch = "PATCH",
        /// Removes.
        Delete = "DELETE",
    }
}

impl CallMethod {
    /// Whether a request has a body.
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

/// Gets `path` below `base` with an access token, and gives the JSON that comes. Tries again as the options of
/// `http` say.
///
/// # Errors
///
/// [`OAuthError::Url`], [`OAuthError::Http`], [`OAuthError::Refused`]; [`OAuthError::Response`] if what comes is
/// no JSON.
pub fn call(
    http: &Http,
    base: &BaseUrl,
    path: &str,
    token: &AccessToken,
) -> Result<Vec<u8>, OAuthError> {
    let url = base.join(path)?;
    http.retry_idempotent(|http| {
        let response = http.get(&url, token.expose(), MAX_CALL_RESPONSE)?;
        response::json(&url, response, token.expose())
    })
}

/// The same with any method, and with a body of JSON where the method has one; an answer may be empty. What is not
/// idempotent is tried again only where the server has not begun with it.
///
/// # Errors
///
/// As [`call`].
pub fn call_with(
    http: &Http,
    base: &BaseUrl,
    (method, path): (CallMethod, &str),
    body: &[u8],
    token: &AccessToken,
) -> Result<Vec<u8>, OAuthError> {
    let url = base.join(path)?;
    let sent = method.has_body().then_some(("application/json", body));
    let ask = |http: &Http| {
        let method = Method::from_bytes(method.name().as_bytes()).unwrap_or_default();
        let bearer = Some(token.expose());
        let response = http.send(method, &url, bearer, sent, MAX_CALL_RESPONSE)?;
        if response.is_success() && response.body.is_empty() {
            return Ok(Vec::new());
        }
        response::json(&url, response, token.expose())
    };
    match method {
        CallMethod::Post | CallMethod::Patch => {
            retry(http.policy(), &mut http.runtime(), |_| ask(http))
        }
        _ => http.retry_idempotent(ask),
    }
}
