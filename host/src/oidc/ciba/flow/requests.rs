//! One request and its response, and asking again until there is one.

use core::time::Duration;

use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use privyseal_core::{Signer, Unwrapper};
use zeroize::Zeroizing;

use super::Ciba;
use crate::base::runtime::Runtime;
use crate::http::retry::{RetryPolicy, retry_within};
use crate::http::{BaseUrl, HttpCause, Response, Url};
use crate::oauth::{
    AssertionOptions, AssertionSource as _, AudienceParts, OAuthError, REQUEST, Refusal,
    RequestKind, form_body,
};
use crate::oidc::ciba::discovery::Session;
use crate::oidc::ciba::polling::{Polling, Step};
use crate::oidc::ciba::response::PollOutcome;
use crate::oidc::ciba::{CibaError, State, Watcher};

/// A response, and what was sent for it.
pub(super) struct Exchange {
    pub(super) response: Response,
    url: Url,
    kind: RequestKind,
    sent: Vec<Zeroizing<String>>,
}

impl Exchange {
    /// What the server said no with. Nothing that was sent is repeated, however short it is.
    pub(super) fn refused(&self) -> OAuthError {
        let sent = self.sent.iter().map(|secret| secret.as_str());
        Refusal::new(&self.url, self.kind, &self.response, sent).into()
    }
}

/// How often the watcher is told how long it may still take.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

impl<S, U, P> Ciba<'_, S, U, P>
where
    S: Signer + Clone + Send + Sync,
    S::Error: Send + Sync + 'static,
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
    P: Runtime,
{
    /// Asks again and again until there is a response that ends it.
    pub(super) fn poll(
        &mut self,
        polling: &mut Polling,
        state: State,
        watcher: &mut dyn Watcher,
        request: impl FnMut(&mut Self) -> Result<Exchange, OAuthError>,
    ) -> Result<Exchange, CibaError> {
        let sleep = |flow: &mut Self, pause| {
            flow.runtime.pause(pause);
            false
        };
        self.poll_until(polling, state, watcher, sleep, request)
    }

    /// The same, and at once when `hear`, which waits for a while, has heard that it is time.
    pub(super) fn poll_until(
        &mut self,
        polling: &mut Polling,
        state: State,
        watcher: &mut dyn Watcher,
        mut hear: impl FnMut(&mut Self, Duration) -> bool,
        mut request: impl FnMut(&mut Self) -> Result<Exchange, OAuthError>,
    ) -> Result<Exchange, CibaError> {
        loop {
            let now = self.runtime.elapsed();
            match polling.step(now) {
                Step::Stop => return Err(CibaError::TimedOut { state }),
                Step::Wait(pause) => {
                    watcher.waiting(state, polling.left(now));
                    if hear(self, pause.min(PROGRESS_INTERVAL)) {
                        polling.pinged(self.runtime.elapsed());
                    }
                    continue;
                }
                Step::Ask => {}
            }
            let exchange = request(self);
            let now = self.runtime.elapsed();
            let exchange = match exchange {
                Ok(exchange) => exchange,
                Err(error) if may_pass(&error) => {
                    if polling.failed(now, None, self.runtime.random()?) {
                        continue;
                    }
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            };
            match PollOutcome::of(&exchange.response, self.runtime.now()?) {
                PollOutcome::Success => return Ok(exchange),
                PollOutcome::Pending => polling.pending(now, None),
                PollOutcome::SlowDown(pause) => polling.slow_down(now, pause),
                PollOutcome::Trouble(pause) => {
                    if !polling.failed(now, pause, self.runtime.random()?) {
                        return Err(exchange.refused().into());
                    }
                }
                PollOutcome::Refused => return Err(exchange.refused().into()),
            }
        }
    }

    /// Reads a session; a QR code in it is shown.
    pub(super) fn session(
        &mut self,
        exchange: &Exchange,
        watcher: &mut dyn Watcher,
    ) -> Result<Session, CibaError> {
        let response = &exchange.response;
        if PollOutcome::of(response, self.runtime.now()?) != PollOutcome::Success {
            return Err(exchange.refused().into());
        }
        let session = Session::read(&response.body)
            .map_err(|reason| OAuthError::response(&exchange.url, reason))?;
        if let Session::Pending { qr: Some(qr), .. } = &session {
            watcher.qr_code(qr).map_err(CibaError::QrCode)?;
        }
        Ok(session)
    }

    /// Does `request`, and again where the server has not begun with it: with new assertions.
    pub(super) fn ask_a_busy_server(
        &mut self,
        mut request: impl FnMut(&mut Self) -> Result<Exchange, OAuthError>,
    ) -> Result<Exchange, OAuthError> {
        retry_within(&RetryPolicy::default(), self, Self::runtime, |flow| {
            let exchange = request(flow)?;
            match exchange.response.status {
                429 | 503 => Err(exchange.refused()),
                _ => Ok(exchange),
            }
        })
    }

    fn runtime(&mut self) -> &mut dyn Runtime {
        &mut self.runtime
    }

    /// Posts `members`, and who sends them, with a new assertion for that endpoint.
    pub(super) fn post(
        &mut self,
        url: &Url,
        endpoint: &str,
        members: &[(&str, &str)],
        max: usize,
    ) -> Result<Exchange, OAuthError> {
        let options = self.options(endpoint)?;
        let assertion = self.client.assertion(&options)?;
        let own = [
            ("client_id", self.client.credential().client_id().as_str()),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        let form = form_body(members.iter().copied().chain(own));
        let response = self.http.post_form(url, &form, max)?;
        let secret = |(name, _): &&(&str, &str)| *name != "grant_type";
        let sent = members.iter().filter(secret).map(|(_, value)| *value);
        let sent = sent.chain([assertion.as_str()]);
        Ok(Exchange {
            response,
            url: url.clone(),
            kind: match endpoint {
                "discovery" => RequestKind::Discovery,
                "backchannel" => RequestKind::Backchannel,
                _ => RequestKind::CibaTokens,
            },
            sent: sent.map(|text| Zeroizing::new(text.to_owned())).collect(),
        })
    }

    pub(super) fn options(&mut self, endpoint: &str) -> Result<AssertionOptions, OAuthError> {
        let base = self.base()?;
        let given = self.assertion.audience.as_deref();
        let is_request = endpoint == REQUEST;
        let parts = AudienceParts {
            // The issuer as it calls itself; itsme's endpoints are below it, with one slash.
            audience: if is_request {
                Some(self.provider.metadata().issuer())
            } else {
                given
            },
            endpoint: Some(endpoint),
            base_url: Some(base.as_str()),
            realm: None,
        };
        Ok(AssertionOptions {
            audience: parts.choose(self.client.credential().scheme())?,
            now: Some(self.runtime.now()?),
            jti: None,
            ..self.assertion.clone()
        })
    }

    pub(super) fn below(&self, path: &str) -> Result<Url, OAuthError> {
        Ok(self.base()?.join(path)?)
    }

    /// itsme's paths are below the issuer.
    fn base(&self) -> Result<BaseUrl, OAuthError> {
        Ok(self.provider.metadata().issuer().parse()?)
    }
}

/// Whether another try may do better: the network and its names, not the server's certificate or its HTTP.
const fn may_pass(error: &OAuthError) -> bool {
    matches!(error, OAuthError::Http(error) if matches!(
        error.cause(),
        HttpCause::HostNotFound | HttpCause::Timeout | HttpCause::Connection
    ))
}
