//! What does as a flow says: it sends what has to be sent, with a new assertion each time.

mod claims;
mod requests;

use core::time::Duration;

use privyseal_core::KeyEncryption;

use super::machine::{Authenticated, CibaEvent, CibaFlow, CibaStep};
use super::ping::PingListener;
use super::{CibaError, State, Watcher};
use crate::base::runtime::Runtime;
use crate::http::Http;
use crate::jose::jwe::Recipient;
use crate::keys::key::KeyUnwrapper;
use crate::oauth::{AssertionOptions, AssertionSource};
use crate::oidc::provider::Provider;

/// How often the watcher is told how long it may still take.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// One client, one provider, and what they need to get from a QR code to the claims of a person.
///
/// [`Ciba::run`] waits. Who cannot wait has a [`CibaFlow`] for each person, and sends what it asks for ([`Ciba::send`]).
pub struct Ciba<'a, P> {
    party: Party<'a>,
    runtime: P,
    unwrappers: &'a [KeyUnwrapper],
    registered: Option<KeyEncryption>,
}

/// Who asks whom.
struct Party<'a> {
    http: &'a Http,
    source: &'a dyn AssertionSource,
    provider: &'a Provider,
    assertion: AssertionOptions,
    recipient: Option<Recipient>,
}

impl<'a, P> Ciba<'a, P> {
    /// `client` signs (a [`SigningClient`](crate::SigningClient), a gateway, or a [`Client`](crate::Client)'s source), `runtime` has clock, sleep and randomness. Nothing that comes may be encrypted.
    pub fn new(
        http: &'a Http,
        client: &'a dyn AssertionSource,
        provider: &'a Provider,
        runtime: P,
    ) -> Self {
        Self {
            party: Party {
                http,
                source: client,
                provider,
                assertion: AssertionOptions::default(),
                recipient: None,
            },
            runtime,
            unwrappers: &[],
            registered: None,
        }
    }

    /// Encrypts every assertion to the provider ([`Provider::recipient`]), after it was signed.
    #[must_use]
    pub fn encrypt_assertions(mut self, provider: Recipient) -> Self {
        self.party.recipient = Some(provider);
        self
    }

    /// With the keys to which tokens are encrypted, where that was agreed on when the client was registered: then
    /// nothing that comes may be without encryption. While a key is replaced there are two.
    #[must_use]
    pub const fn unwrappers(mut self, unwrappers: &'a [KeyUnwrapper]) -> Self {
        self.unwrappers = unwrappers;
        self
    }

    /// What is said about every assertion; its moment and `jti` are chosen here. Its audience is itsme's for
    /// each endpoint, unless one is given: then it is that one everywhere. Other providers take their issuer
    /// (CIBA Core section 7.1); it must be one that the caller knows, not one that a server names, or what is
    /// meant for one server could be used at another. A signed request is for the issuer in any case.
    #[must_use]
    pub fn assertion(mut self, assertion: AssertionOptions) -> Self {
        self.party.assertion = assertion;
        self
    }
}

impl<P: Runtime> Ciba<'_, P> {
    /// Does what the flow says, and waits where it waits, until it has come to the state `until`, or to its end: then
    /// who it was is given. `pings` is where the provider calls, if it does; a call may be lost, so it is asked all the
    /// same, every [`BESIDE_PING`](super::BESIDE_PING).
    ///
    /// # Errors
    ///
    /// [`CibaError`]: the person or the provider refused, or did not answer in time; `watcher` cannot show a QR code.
    pub fn run(
        &mut self,
        flow: &mut CibaFlow,
        until: Option<State>,
        pings: Option<&PingListener>,
        watcher: &mut dyn Watcher,
    ) -> Result<Option<Box<Authenticated>>, CibaError> {
        let mut event = CibaEvent::Tick;
        loop {
            let now = self.runtime.elapsed();
            let step = flow.step(now, event);
            if until.is_some() && flow.state() == until {
                // What is due next is for the next to do.
                flow.put_back();
                return Ok(None);
            }
            event = CibaEvent::Tick;
            match step {
                CibaStep::Send(request) => {
                    if flow.state() == Some(State::Tokens) {
                        watcher.waiting(State::Tokens, Duration::ZERO);
                    }
                    event = CibaEvent::Response(self.send(request));
                }
                CibaStep::ShowQr(image) => watcher.qr_code(&image).map_err(CibaError::QrCode)?,
                CibaStep::Wait(until) => {
                    if let Some(state) = flow.state() {
                        watcher.waiting(state, flow.left(now));
                    }
                    let pause = until.saturating_sub(now).min(PROGRESS_INTERVAL);
                    match pings.map(|listener| listener.wait(pause)) {
                        Some(Some(id)) => flow.pinged(self.runtime.elapsed(), &id),
                        Some(None) => {}
                        None => self.runtime.pause(pause),
                    }
                }
                CibaStep::Done(person) => return Ok(Some(person)),
                CibaStep::Failed(error) => return Err(error),
            }
        }
    }
}

privyseal_core::opaque_debug! { [P] Ciba<'_, P> as it: provider = it.party.provider; }
