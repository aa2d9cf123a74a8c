//! What does as a flow says: it sends what has to be sent, with a new assertion each time.

mod claims;

use core::time::Duration;

use privyseal_core::UnixTime;

use super::machine::{
    Answer, CibaEvent, CibaFlow, CibaRequest, CibaResponse, CibaStep, Kept, Stage,
};
use super::ping::PingListener;
use super::{CibaError, Identity, State, Watcher, discovery};
use crate::base::runtime::Runtime;
use crate::http::retry::retry;
use crate::http::{BaseUrl, RetryPolicy, Url};
use crate::oauth::{
    AssertionOptions, AudienceParts, OAuthError, REQUEST, RequestKind, SignedRequest,
};
use crate::oidc::RelyingParty;

/// `grant_type` (CIBA Core section 10.1).
const GRANT_TYPE: &str = "urn:openid:params:grant-type:ciba";

/// How often the watcher is told how long it may still take.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// One client, one provider, and what they need to get from a QR code to the claims of a person.
///
/// [`Ciba::run`] waits. Who cannot wait has a [`CibaFlow`] for each person, and sends what it asks for ([`Ciba::send`]).
pub struct Ciba<'a, P> {
    party: &'a RelyingParty,
    runtime: P,
}

impl<'a, P> Ciba<'a, P> {
    /// `party` asks, `runtime` has clock, sleep and randomness.
    pub const fn new(party: &'a RelyingParty, runtime: P) -> Self {
        Self { party, runtime }
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
    ) -> Result<Option<Box<Identity>>, CibaError> {
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
    #[allow(clippy::needless_pass_by_value, reason = "a request is sent once")]
    pub fn send(&mut self, request: CibaRequest) -> CibaResponse {
        let outcome = self.answer(&request.0);
        let (outcome, came_at) = match self.runtime.now() {
            Ok(now) => (outcome, now),
            Err(error) => (Err(error.into()), UnixTime::MAX),
        };
        CibaResponse {
            outcome,
            issuer: self.party.provider.metadata().issuer().to_owned(),
            came_at,
            random: self.runtime.random().unwrap_or_default(),
        }
    }

    fn answer(&mut self, kept: &Kept) -> Result<Answer, CibaError> {
        let (party, runtime) = (self.party, &mut self.runtime);
        let metadata = party.provider.metadata();
        party.judge_provider(kept.issuer.as_deref())?;
        let (kind, url) = match &kept.stage {
            Stage::Discovery(None) => (RequestKind::NewDiscovery, party.below(discovery::PATH)?),
            Stage::Discovery(Some((id, _))) => {
                let path = discovery::path_of(id);
                (RequestKind::Discovery, party.below(&path)?)
            }
            Stage::Authentication | Stage::Over => {
                let url = metadata.endpoint("backchannel_authentication_endpoint");
                let default = || party.below("/backchannel/authentication");
                (
                    RequestKind::Backchannel,
                    url.cloned().map_or_else(default, Ok)?,
                )
            }
            Stage::Tokens { .. } => (RequestKind::CibaTokens, metadata.token_endpoint().clone()),
            Stage::Claims { id, access } => {
                let identity = self.identity(kept, id, access)?;
                return Ok(Answer::Claims(Box::new(identity)));
            }
        };
        // The flow says when to ask again for what is waited for.
        let is_polled = matches!(kind, RequestKind::Discovery | RequestKind::CibaTokens);
        let policy = if is_polled {
            RetryPolicy::NEVER
        } else {
            party.retry
        };
        let endpoint = match kind {
            RequestKind::NewDiscovery | RequestKind::Discovery => "discovery",
            RequestKind::Backchannel => "backchannel",
            _ => "token",
        };
        let response = retry(&policy, runtime, |runtime| {
            let now = runtime.now()?;
            let options = party.options_at(now, endpoint)?;
            let post = |members: &[_]| party.post(&options, &url, kind, members);
            match &kept.stage {
                Stage::Authentication => {
                    let options = party.options_at(now, REQUEST)?;
                    let request = SignedRequest::Authentication(&kept.asked);
                    let request = party.source.signed_request(&options, request)?;
                    post(&[("request", request.as_str())])
                }
                Stage::Tokens { id, .. } => {
                    post(&[("grant_type", GRANT_TYPE), ("auth_req_id", id)])
                }
                _ => post(&[]),
            }
        })?;
        Ok(Answer::Said(url, Box::new(response)))
    }
}

impl RelyingParty {
    fn options_at(&self, now: UnixTime, endpoint: &str) -> Result<AssertionOptions, OAuthError> {
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

privyseal_core::opaque_debug! { [P] Ciba<'_, P> as it: party = it.party; }
