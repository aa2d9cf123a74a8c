//! What does as a flow says: it sends what has to be sent, with a new assertion each time.

mod claims;

use core::time::Duration;

use privyseal_core::limits::MAX_TOKEN_RESPONSE;
use privyseal_core::{KeyEncryption, UnixTime};

use super::machine::{
    Answer, Authenticated, CibaEvent, CibaFlow, CibaRequest, CibaResponse, CibaStep, Due,
};
use super::ping::PingListener;
use super::{CibaError, State, Watcher, discovery};
use crate::base::runtime::Runtime;
use crate::http::retry::{RetryPolicy, retry};
use crate::http::{BaseUrl, Http, Response, Url};
use crate::jose::jwe::Recipient;
use crate::keys::key::KeyUnwrapper;
use crate::oauth::{
    AssertionOptions, AssertionSource, AudienceParts, Form, OAuthError, REQUEST, RequestKind,
    SignedRequest,
};
use crate::oidc::provider::Provider;

/// `grant_type` (CIBA Core section 10.1).
const GRANT_TYPE: &str = "urn:openid:params:grant-type:ciba";

/// The largest response of the backchannel authentication endpoint, in bytes.
const MAX_ACKNOWLEDGEMENT: usize = 16 * 1024;

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

    /// Sends what a flow asks for, with a new assertion, and waits for the response as long as a request may take (claims
    /// may wait a minute and a half for keys that lag behind); not for a person. Where a server that was asked for
    /// something new is busy, it is asked again.
    pub fn send(&mut self, request: CibaRequest) -> CibaResponse {
        let outcome = self.answer(request.0);
        let (outcome, came_at) = match self.runtime.now() {
            Ok(now) => (outcome, now),
            Err(error) => (Err(error.into()), UnixTime::MAX),
        };
        CibaResponse {
            outcome,
            came_at,
            random: self.runtime.random().unwrap_or_default(),
        }
    }

    fn answer(&mut self, due: Due) -> Result<Answer, CibaError> {
        let (party, runtime) = (&self.party, &mut self.runtime);
        let policy = RetryPolicy::default();
        let metadata = party.provider.metadata();
        let (url, response) = match due {
            Due::Session(None) => {
                let url = party.below(discovery::PATH)?;
                let kind = RequestKind::NewDiscovery;
                let ask = |runtime: &mut dyn Runtime| party.post(runtime.now()?, &url, kind, &[]);
                let response = retry(&policy, runtime, ask);
                (url, response)
            }
            Due::Session(Some(id)) => {
                let url = party.below(&discovery::path_of(&id))?;
                let response = party.post(runtime.now()?, &url, RequestKind::Discovery, &[]);
                (url, response)
            }
            Due::Authentication(asked) => {
                let url = match metadata.endpoint("backchannel_authentication_endpoint") {
                    Some(url) => url.clone(),
                    None => party.below("/backchannel/authentication")?,
                };
                let response = retry(&policy, runtime, |runtime| {
                    let now = runtime.now()?;
                    let request = SignedRequest::Authentication(&asked);
                    let options = party.options(now, REQUEST)?;
                    let request = party.source.signed_request(&options, request)?;
                    let members = [("request", request.as_str())];
                    party.post(now, &url, RequestKind::Backchannel, &members)
                });
                (url, response)
            }
            Due::Tokens(id) => {
                let url = metadata.token_endpoint().clone();
                let members = [("grant_type", GRANT_TYPE), ("auth_req_id", id.as_str())];
                let response = party.post(runtime.now()?, &url, RequestKind::CibaTokens, &members);
                (url, response)
            }
            Due::Claims(tokens, userinfo) => {
                let identity = self.identity(&tokens, userinfo)?;
                let tokens = *tokens;
                return Ok(Answer::Claims(Box::new(Authenticated { identity, tokens })));
            }
        };
        Ok(Answer::Said(url, Box::new(response?)))
    }
}

impl Party<'_> {
    /// Posts `members`, and who sends them, with a new assertion for that endpoint.
    fn post(
        &self,
        now: UnixTime,
        url: &Url,
        kind: RequestKind,
        members: &[(&str, &str)],
    ) -> Result<Response, OAuthError> {
        let (endpoint, max) = match kind {
            RequestKind::NewDiscovery | RequestKind::Discovery => {
                ("discovery", discovery::MAX_ANSWER)
            }
            RequestKind::Backchannel => ("backchannel", MAX_ACKNOWLEDGEMENT),
            _ => ("token", MAX_TOKEN_RESPONSE),
        };
        let mut assertion = self.source.assertion(&self.options(now, endpoint)?)?;
        if let Some(provider) = &self.recipient {
            assertion = assertion.encrypted_to(provider)?;
        }
        let client_id = Some(self.source.client_id().as_str());
        Form::new(url, members, kind, max).send(self.http, client_id, &assertion)
    }

    fn options(&self, now: UnixTime, endpoint: &str) -> Result<AssertionOptions, OAuthError> {
        let base = self.base()?;
        let parts = AudienceParts {
            // The issuer as it calls itself; itsme's endpoints are below it, with one slash.
            audience: match endpoint {
                REQUEST => Some(self.provider.metadata().issuer()),
                _ => self.assertion.audience.as_deref(),
            },
            endpoint: Some(endpoint),
            base_url: Some(base.as_str()),
            realm: None,
        };
        Ok(AssertionOptions {
            audience: parts.choose(self.source.scheme())?,
            now: Some(now),
            jti: None,
            ..self.assertion.clone()
        })
    }

    fn below(&self, path: &str) -> Result<Url, OAuthError> {
        Ok(self.base()?.join(path)?)
    }

    /// itsme's paths are below the issuer.
    fn base(&self) -> Result<BaseUrl, OAuthError> {
        Ok(self.provider.metadata().issuer().parse()?)
    }
}

privyseal_core::opaque_debug! { [P] Ciba<'_, P> as it: provider = it.party.provider; }
