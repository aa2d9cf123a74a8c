//! The callback of ping mode: the provider says that the tokens are ready (CIBA Core section 10.2). Nobody without the
//! bearer token learns anything.

use core::fmt;
use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::Value;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::CibaError;
use crate::oidc::listener::{Answer, ListenAddress, Listener, Request};

/// How many pings are kept until they are taken. One that is lost costs its flow [`super::BESIDE_PING`].
const ROOM: usize = 1024;

/// Listens until it is dropped. One listener serves all flows: a ping says which one it is for.
pub struct PingListener {
    token: Arc<Zeroizing<String>>,
    listener: Listener<Zeroizing<String>>,
}

impl PingListener {
    /// Listens on `address`, with a new bearer token of 256 random bits.
    ///
    /// # Errors
    ///
    /// [`CibaError::Listen`]; [`CibaError::Oidc`] if there is no randomness.
    pub fn start(address: &ListenAddress) -> Result<Self, CibaError> {
        let mut random = Zeroizing::new([0; 32]);
        crate::base::entropy::fill(&mut *random)?;
        let token = Arc::new(Zeroizing::new(Base64UrlUnpadded::encode_string(&*random)));
        let (path, expected) = (address.path().to_owned(), Arc::clone(&token));
        let listener = Listener::start(address, ROOM, move |request| {
            judge(request, &path, &expected)
        });
        let listener = listener.map_err(|source| CibaError::Listen {
            address: address.to_string(),
            source,
        })?;
        Ok(Self { token, listener })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The `client_notification_token` that the provider must send back. Not for logs.
    pub fn expose_token(&self) -> &str {
        &self.token
    }

    /// The `auth_req_id` of a ping, if one comes within `time`.
    pub fn wait(&self, time: Duration) -> Option<Zeroizing<String>> {
        self.listener.wait(time)
    }
}

/// CIBA Core section 10.2: 204 for a ping that was taken. The bearer token comes before what it protects, and is
/// compared in constant time.
fn judge(request: &Request, path: &str, token: &str) -> (Answer, Option<Zeroizing<String>>) {
    if request.path() != path {
        return (Answer::NOT_FOUND, None);
    }
    if request.method() != "POST" {
        return (
            Answer::empty("405 Method Not Allowed", "Allow: POST\r\n"),
            None,
        );
    }
    if !bool::from(request.bearer().as_bytes().ct_eq(token.as_bytes())) {
        let challenge = "WWW-Authenticate: Bearer\r\n";
        return (Answer::empty("401 Unauthorized", challenge), None);
    }
    let body = request
        .json()
        .and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let id = body
        .as_ref()
        .and_then(|body| body.get("auth_req_id")?.as_str());
    match id {
        Some(id) if !id.is_empty() => (Answer::NO_CONTENT, Some(Zeroizing::new(id.to_owned()))),
        _ => (Answer::BAD, None),
    }
}

impl fmt::Debug for PingListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PingListener({})", self.address())
    }
}

#[cfg(test)]
mod tests;
