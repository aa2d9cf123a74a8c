//! The callback of ping mode: the provider says that the tokens are ready (CIBA Core section 10.2). Nobody without the
//! bearer token learns anything.

use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::CibaError;
use crate::base::entropy;
use crate::jose::jws::unique_members;
use crate::oidc::listener::{Answer, ListenAddress, Listener, Request, Served};

/// How many pings are kept until they are taken. One that is lost costs its flow [`super::BESIDE_PING`].
const ROOM: usize = 1024;

/// The bearer token by which a provider shows that a ping is its own, for applications with a web server of their own. One
/// serves all flows.
pub struct NotificationToken(Zeroizing<String>);

/// Why a ping does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PingFault {
    /// It does not have the bearer token; the answer is 401.
    #[error("the ping does not have the client's notification token (CIBA Core section 10.2)")]
    Unauthorized,
    /// It names no authentication; the answer is 400.
    #[error("the ping is no JSON object with auth_req_id (CIBA Core section 10.2)")]
    Malformed,
}

impl NotificationToken {
    /// A new one, of 256 random bits.
    ///
    /// # Errors
    ///
    /// [`CibaError::Oidc`] if there is no randomness.
    pub fn generate() -> Result<Self, CibaError> {
        Ok(Self(entropy::secret()?))
    }

    /// The `client_notification_token` that the provider must send back. Not for logs.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The `auth_req_id` of a ping: what came as bearer token in `Authorization`, and the JSON that came. The token is
    /// looked at first, in constant time.
    ///
    /// # Errors
    ///
    /// [`PingFault`].
    pub fn judge(&self, bearer: &str, json: &[u8]) -> Result<Zeroizing<String>, PingFault> {
        if !bool::from(bearer.as_bytes().ct_eq(self.0.as_bytes())) {
            return Err(PingFault::Unauthorized);
        }
        let body: Value = unique_members(json).unwrap_or_default();
        let id = body["auth_req_id"].as_str().filter(|id| !id.is_empty());
        let id = id.ok_or(PingFault::Malformed)?;
        Ok(Zeroizing::new(id.to_owned()))
    }
}

/// Listens until it is dropped. One listener serves all flows: a ping says which one it is for.
pub struct PingListener {
    token: Arc<NotificationToken>,
    listener: Listener,
}

impl PingListener {
    /// Listens on `address`, with a new bearer token of 256 random bits.
    ///
    /// # Errors
    ///
    /// [`CibaError::Oidc`].
    pub fn start(address: &ListenAddress) -> Result<Self, CibaError> {
        let token = Arc::new(NotificationToken::generate()?);
        let (path, expected) = (address.path().to_owned(), Arc::clone(&token));
        let listener = Listener::start(address, ROOM, move |request| {
            judge(request, &path, &expected)
        })?;
        Ok(Self { token, listener })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The `client_notification_token` that the provider must send back. Not for logs.
    pub fn expose_token(&self) -> &str {
        self.token.expose()
    }

    /// The `auth_req_id` of a ping, if one comes within `time`.
    pub fn wait(&self, time: Duration) -> Option<Zeroizing<String>> {
        self.listener.wait(time)
    }
}

/// CIBA Core section 10.2: 204 for a ping that was taken.
fn judge(request: &Request, path: &str, token: &NotificationToken) -> Served {
    match request.below(path, "POST") {
        Ok("") => {}
        Ok(_) => return (Answer::NOT_FOUND, None),
        Err(answer) => return (answer, None),
    }
    match token.judge(request.bearer(), request.json().unwrap_or_default()) {
        Ok(id) => (Answer::NO_CONTENT, Some(id)),
        Err(PingFault::Unauthorized) => {
            let challenge = "WWW-Authenticate: Bearer\r\n";
            (Answer("401 Unauthorized", challenge, ""), None)
        }
        Err(PingFault::Malformed) => (Answer::BAD, None),
    }
}

privyseal_core::opaque_debug! { [] NotificationToken; }

privyseal_core::opaque_debug! { [] PingListener as it: address = it.address(); }

#[cfg(test)]
mod tests;
