//! What does as a flow says: it sends what has to be sent, with a new assertion each time.

mod claims;
mod requests;

use core::fmt;
use core::time::Duration;

use privyseal_core::{KeyEncryption, Unwrapper};
use zeroize::Zeroizing;

use super::discovery::QrImage;
use super::exchange::Tokens;
use super::machine::{CibaEvent, CibaFlow, CibaStep};
use super::ping::PingListener;
use super::{CibaError, State, Watcher};
use crate::base::runtime::Runtime;
use crate::http::Http;
use crate::jose::jwe::Recipient;
use crate::oauth::{AssertionOptions, AssertionSource, AuthenticationOptions};
use crate::oidc::provider::Provider;

/// How often the watcher is told how long it may still take.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// One client, one provider, and what they need to get from a QR code to the claims of a person.
///
/// The steps are [`Ciba::discover_user`], [`Ciba::authenticate`], [`Ciba::tokens`] and
/// [`Ciba::identity`], in this order; the first is left out where the person is known already. They wait. Who cannot
/// wait has a [`CibaFlow`] for each person, and sends what it asks for ([`Ciba::send`]).
pub struct Ciba<'a, U, P> {
    http: &'a Http,
    client: &'a dyn AssertionSource,
    provider: &'a Provider,
    unwrappers: &'a mut [U],
    runtime: P,
    assertion: AssertionOptions,
    recipient: Option<Recipient>,
    registered: Option<KeyEncryption>,
}

/// An authentication request that the provider has taken.
#[derive(Debug)]
pub struct Pending(CibaFlow);

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

impl<'a, U, P> Ciba<'a, U, P> {
    /// `client` signs (a [`SigningClient`](crate::SigningClient), a gateway, or a [`Client`](crate::Client)'s source), `runtime` has clock, sleep and randomness. Nothing that comes may be encrypted.
    pub fn new(
        http: &'a Http,
        client: &'a dyn AssertionSource,
        provider: &'a Provider,
        runtime: P,
    ) -> Self {
        Self {
            http,
            client,
            provider,
            unwrappers: &mut [],
            runtime,
            assertion: AssertionOptions::default(),
            recipient: None,
            registered: None,
        }
    }

    /// Encrypts every assertion to the provider ([`Provider::recipient`]), after it was signed.
    #[must_use]
    pub fn encrypt_assertions(mut self, provider: Recipient) -> Self {
        self.recipient = Some(provider);
        self
    }

    /// With the keys to which tokens are encrypted, where that was agreed on when the client was registered: then
    /// nothing that comes may be without encryption. While a key is replaced there are two.
    #[must_use]
    pub fn unwrappers(mut self, unwrappers: &'a mut [U]) -> Self {
        self.unwrappers = unwrappers;
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

impl<U, P> Ciba<'_, U, P>
where
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
    P: Runtime,
{
    /// The `user_identifier_token` of a person: shows QR codes until somebody has scanned one (itsme's user
    /// discovery). Gives up after ten minutes.
    ///
    /// # Errors
    ///
    /// [`CibaError::TimedOut`]; [`CibaError::QrCode`] if `watcher` cannot show one; [`CibaError::Oidc`].
    pub fn discover_user(
        &mut self,
        watcher: &mut dyn Watcher,
    ) -> Result<Zeroizing<String>, CibaError> {
        let mut flow = CibaFlow::begin(&AuthenticationOptions::default());
        let is_known = |flow: &CibaFlow| flow.person().is_some();
        self.drive(&mut flow, &Delivery::Poll, watcher, is_known)?;
        Ok(flow.person().cloned().unwrap_or_default())
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
        let mut asked = asked.clone();
        asked.client_notification_token = match delivery {
            Delivery::Poll => None,
            Delivery::Ping(listener) => Some(Zeroizing::new(listener.expose_token().to_owned())),
        };
        let mut flow = CibaFlow::about_somebody_known(&asked);
        let is_asked = |flow: &CibaFlow| flow.expose_auth_req_id().is_some();
        self.drive(&mut flow, delivery, &mut Nobody, is_asked)?;
        Ok(Pending(flow))
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
        let Pending(mut flow) = pending;
        let is_there = |flow: &CibaFlow| flow.state() == Some(State::Tokens);
        self.drive(&mut flow, delivery, watcher, is_there)?;
        watcher.waiting(State::Tokens, Duration::ZERO);
        flow.tokens()
    }

    /// Does what the flow says, and waits where it waits, until `is_there`.
    fn drive(
        &mut self,
        flow: &mut CibaFlow,
        delivery: &Delivery<'_>,
        watcher: &mut dyn Watcher,
        is_there: impl Fn(&CibaFlow) -> bool,
    ) -> Result<(), CibaError> {
        let mut event = CibaEvent::Tick;
        loop {
            let now = self.runtime.elapsed();
            let step = flow.step(now, event);
            if let CibaStep::Failed(error) = step {
                return Err(error);
            }
            if is_there(flow) {
                // What is due next is for the next to do.
                flow.put_back();
                return Ok(());
            }
            event = CibaEvent::Tick;
            match step {
                CibaStep::Send(request) => event = CibaEvent::Response(self.send(request)),
                CibaStep::ShowQr(image) => watcher.qr_code(&image).map_err(CibaError::QrCode)?,
                CibaStep::Wait(until) => {
                    if let Some(state) = flow.state() {
                        watcher.waiting(state, flow.left(now));
                    }
                    let pause = until.saturating_sub(now).min(PROGRESS_INTERVAL);
                    match delivery {
                        Delivery::Poll => self.runtime.pause(pause),
                        Delivery::Ping(listener) => {
                            if let Some(id) = listener.wait(pause) {
                                flow.pinged(self.runtime.elapsed(), &id);
                            }
                        }
                    }
                }
                CibaStep::Done(_) | CibaStep::Failed(_) => return Ok(()),
            }
        }
    }
}

/// Is told nothing.
struct Nobody;

impl Watcher for Nobody {
    fn qr_code(&mut self, _: &QrImage) -> Result<(), Box<dyn core::error::Error + Send + Sync>> {
        Ok(())
    }

    fn waiting(&mut self, _: State, _: Duration) {}
}

impl<U, P> fmt::Debug for Ciba<'_, U, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ciba")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}
