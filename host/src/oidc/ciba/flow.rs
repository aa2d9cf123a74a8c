//! The flow itself: it sends what has to be sent, when that is due, with a new assertion each time.

mod claims;
mod requests;

use core::fmt;
use core::time::Duration;

use privyseal_core::limits::MAX_TOKEN_RESPONSE;
use privyseal_core::{Signer, Unwrapper};
use zeroize::Zeroizing;

use super::discovery::{self, Session};
use super::ping::PingListener;
use super::polling::Polling;
use super::response::{Acknowledgement, PollOutcome};
use super::{CibaError, State, Watcher};
use crate::base::runtime::Runtime;
use crate::http::{Http, Response, Url};
use crate::oauth::{
    AccessToken, AssertionOptions, AuthenticationOptions, OAuthError, REQUEST, SigningClient,
};
use crate::oidc::id_token::AskedAcr;
use crate::oidc::provider::Provider;

/// The largest response of the backchannel authentication endpoint, in bytes.
const MAX_ACKNOWLEDGEMENT: usize = 16 * 1024;

/// One client, one provider, and what they need to get from a QR code to the claims of a person.
///
/// The steps are [`Ciba::discover_user`], [`Ciba::authenticate`], [`Ciba::tokens`] and
/// [`Ciba::identity`], in this order; the first is left out where the person is known already.
pub struct Ciba<'a, S, U, P> {
    http: &'a Http,
    client: &'a SigningClient<S>,
    provider: &'a Provider,
    unwrapper: Option<&'a mut U>,
    runtime: P,
    assertion: AssertionOptions,
}

/// An authentication request that the provider has taken.
#[derive(Debug)]
pub struct Pending {
    acknowledgement: Acknowledgement,
    polling: Polling,
    asked_acr: AskedAcr,
}

/// How the client learns that the person has confirmed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Delivery<'a> {
    /// It asks again and again.
    Poll,
    /// It is called. A call may be lost, so it asks all the same, every
    /// [`BESIDE_PING`](super::BESIDE_PING).
    Ping(&'a PingListener),
}

/// What the token endpoint gave. `Debug` shows none of it.
pub struct Tokens {
    /// For the UserInfo endpoint.
    pub access: AccessToken,
    /// As it came: encrypted, mostly.
    pub id_token: Zeroizing<String>,
    auth_req_id: Zeroizing<String>,
    asked_acr: AskedAcr,
}

impl<'a, S, U, P> Ciba<'a, S, U, P> {
    /// `client` signs, `runtime` has clock, sleep and randomness. Nothing that comes may be encrypted.
    pub fn new(
        http: &'a Http,
        client: &'a SigningClient<S>,
        provider: &'a Provider,
        runtime: P,
    ) -> Self {
        Self {
            http,
            client,
            provider,
            unwrapper: None,
            runtime,
            assertion: AssertionOptions::default(),
        }
    }

    /// With the key to which tokens are encrypted, where that was agreed on when the client was registered:
    /// then nothing that comes may be without encryption.
    #[must_use]
    pub fn unwrapper(mut self, unwrapper: Option<&'a mut U>) -> Self {
        self.unwrapper = unwrapper;
        self
    }

    /// What is said about every assertion; its moment and `jti` are chosen here. Its audience is itsme's for
    /// each endpoint, unless one is given: then it is that one everywhere. Other providers take their issuer
    /// (CIBA Core section 7.1); it must be one that the caller knows, not one that a server names, or what is
    /// meant for one server could be used at another. A signed request is for the issuer in any case.
    #[must_use]
    pub fn assertion(mut self, assertion: AssertionOptions) -> Self {
        self.assertion = assertion;
        self
    }
}

impl<S, U, P> Ciba<'_, S, U, P>
where
    S: Signer + Clone + Send + Sync,
    S::Error: Send + Sync + 'static,
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
    P: Runtime,
{
    /// The `user_identifier_token` of a person: shows QR codes until somebody has scanned one (itsme's user
    /// discovery). Gives up after
    /// ten minutes.
    ///
    /// # Errors
    ///
    /// [`CibaError::TimedOut`]; [`CibaError::QrCode`] if `watcher` cannot show one; [`CibaError::Oidc`].
    pub fn discover_user(
        &mut self,
        watcher: &mut dyn Watcher,
    ) -> Result<Zeroizing<String>, CibaError> {
        let mut url = self.below(discovery::PATH)?;
        let mut exchange = self
            .ask_a_busy_server(|flow| flow.post(&url, "discovery", &[], discovery::MAX_ANSWER))?;
        let mut polling = None;
        loop {
            let (id, interval) = match self.session(&exchange, watcher)? {
                Session::Discovered(token) => return Ok(token.0),
                Session::Pending { id, interval, .. } => (id, interval),
            };
            let now = self.runtime.elapsed();
            let polling = match &mut polling {
                Some(polling) => {
                    Polling::pending(polling, now, interval);
                    polling
                }
                none => none.insert(Polling::new(now, interval, discovery::LIFETIME)),
            };
            url = self.below(&format!("{}/{id}", discovery::PATH))?;
            exchange = self.poll(polling, State::Discovery, watcher, |flow| {
                flow.post(&url, "discovery", &[], discovery::MAX_ANSWER)
            })?;
        }
    }

    /// Asks the provider to ask the person. `asked` names them, and what is wanted.
    ///
    /// # Errors
    ///
    /// [`CibaError::Oidc`] if the provider does not take the request.
    pub fn authenticate(
        &mut self,
        asked: &AuthenticationOptions,
        delivery: &Delivery<'_>,
    ) -> Result<Pending, CibaError> {
        let url = match self
            .provider
            .metadata()
            .backchannel_authentication_endpoint()
        {
            Some(url) => url.clone(),
            None => self.below("/backchannel/authentication")?,
        };
        let mut asked = asked.clone();
        asked.client_notification_token = match delivery {
            Delivery::Poll => None,
            Delivery::Ping(listener) => Some(Zeroizing::new(listener.expose_token().to_owned())),
        };
        let exchange = self.ask_a_busy_server(|flow| {
            let options = flow.options(REQUEST)?;
            let request = flow.client.authentication_request(&options, &asked)?;
            let members = [("request", request.as_str())];
            flow.post(&url, "backchannel", &members, MAX_ACKNOWLEDGEMENT)
        })?;
        let now = self.runtime.elapsed();
        if PollOutcome::of(&exchange.response, self.runtime.now()?) != PollOutcome::Success {
            return Err(exchange.refused().into());
        }
        let acknowledgement = Acknowledgement::read(&exchange.response.body)
            .map_err(|reason| OAuthError::response(&url, reason))?;
        let lifetime = acknowledgement.expires_in;
        Ok(Pending {
            polling: Polling::new(now, acknowledgement.interval, lifetime),
            acknowledgement,
            asked_acr: AskedAcr::of(&asked),
        })
    }

    /// Waits until the person has confirmed, and fetches the tokens.
    ///
    /// # Errors
    ///
    /// [`CibaError::TimedOut`]; [`CibaError::Oidc`] if the person or the provider refused.
    pub fn tokens(
        &mut self,
        pending: Pending,
        delivery: &Delivery<'_>,
        watcher: &mut dyn Watcher,
    ) -> Result<Tokens, CibaError> {
        let Pending {
            acknowledgement,
            mut polling,
            asked_acr,
        } = pending;
        let url = self.provider.metadata().token_endpoint().clone();
        let id = acknowledgement.auth_req_id;
        let members = [
            ("grant_type", "urn:openid:params:grant-type:ciba"),
            ("auth_req_id", id.as_str()),
        ];
        let request = |flow: &mut Self| flow.post(&url, "token", &members, MAX_TOKEN_RESPONSE);
        let state = State::Authentication;
        let exchange = match delivery {
            Delivery::Poll => self.poll(&mut polling, state, watcher, request)?,
            Delivery::Ping(listener) => {
                // A ping for another `auth_req_id` is ignored.
                let hear = |_: &mut Self, time| {
                    let ping = listener.wait(time);
                    ping.is_some_and(|ping| ping == id)
                };
                polling = polling.beside_ping();
                self.poll_until(&mut polling, state, watcher, hear, request)?
            }
        };
        watcher.waiting(State::Tokens, Duration::ZERO);
        Ok(Tokens::read(&url, exchange.response, id, asked_acr)?)
    }
}

impl Tokens {
    fn read(
        url: &Url,
        response: Response,
        id: Zeroizing<String>,
        asked_acr: AskedAcr,
    ) -> Result<Self, OAuthError> {
        let unusable = |reason: &str| OAuthError::response(url, reason);
        let access = AccessToken::from_response(response.body)
            .map_err(|error| unusable(&error.to_string()))?;
        let id_token = access.id_token().ok_or_else(|| {
            unusable("id_token is missing in the answer (CIBA Core section 10.1.1)")
        })?;
        Ok(Self {
            id_token,
            access,
            auth_req_id: id,
            asked_acr,
        })
    }
}

impl<S, U, P> fmt::Debug for Ciba<'_, S, U, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ciba")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}
