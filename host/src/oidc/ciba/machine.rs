//! One authentication of one person as a state machine: it says what to do next, and is told what came of it. It has
//! no input or output, no thread and no lock, so a web backend can have thousands that wait for a person, and store
//! them ([`CibaFlow::seal`]).

mod message;
mod stored;

use core::fmt;
use core::time::Duration;

use privyseal_core::UnixTime;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::discovery::{self, QrImage, Session};
use super::exchange::{Exchange, Tokens};
use super::identity::Identity;
use super::polling::{DEFAULT_INTERVAL, Polling, Step};
use super::response::Acknowledgement;
use super::{CibaError, State};
use crate::oauth::{AccessToken, AuthenticationOptions, OAuthError};
use message::answered;
pub use message::{CibaRequest, CibaResponse};
pub(super) use message::{Due, Outcome, Query};
use stored::{Asked, secret};

/// One authentication, from the QR code to the claims. `Debug` shows how far it is.
///
/// Moments are durations since a start that the caller chooses, the same for all steps: 1970, where a flow is stored.
#[derive(Clone)]
pub struct CibaFlow {
    asked: Asked,
    stage: Stage,
    /// Whether a request is under way.
    in_flight: bool,
}

/// What has happened.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "made one at a time, and taken apart at once"
)]
#[non_exhaustive]
pub enum CibaEvent<'a> {
    /// Time has passed, or nothing has happened yet.
    Tick,
    /// The provider called back with this `auth_req_id`. One that is not this flow's is passed over.
    Ping(&'a str),
    /// What came of the request that was to be sent.
    Response(CibaResponse),
}

/// What to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum CibaStep {
    /// Nothing, until that moment or a ping: then the next event is due.
    Wait(Duration),
    /// Send this ([`super::Ciba::send`]), and give what comes of it.
    Send(CibaRequest),
    /// Show this QR code instead of any before; the next event is a [`CibaEvent::Tick`].
    ShowQr(QrImage),
    /// The person is known.
    Done(Box<Authenticated>),
    /// It has ended otherwise.
    Failed(CibaError),
}

/// Who it was, and the tokens that came.
#[derive(Debug)]
#[non_exhaustive]
pub struct Authenticated {
    /// The claims.
    pub identity: Identity,
    /// The tokens.
    pub tokens: Tokens,
}

#[derive(Clone, Serialize, Deserialize)]
enum Stage {
    /// Which person is meant.
    Discovery(Option<DiscoverySession>),
    /// The person is to be asked.
    Authentication,
    /// The person is asked.
    Tokens {
        #[serde(with = "secret")]
        auth_req_id: Zeroizing<String>,
        polling: Polling,
    },
    /// The person has confirmed; this is the token response.
    Claims {
        #[serde(with = "secret")]
        auth_req_id: Zeroizing<String>,
        #[serde(with = "secret")]
        response: Zeroizing<String>,
    },
    /// It has ended.
    Over,
}

#[derive(Clone, Serialize, Deserialize)]
struct DiscoverySession {
    id: String,
    polling: Polling,
}

impl CibaFlow {
    /// An authentication that asks for `asked`; without a `user_identifier_token` it begins with user discovery. With
    /// a `client_notification_token`, pings are waited for. The first event is a [`CibaEvent::Tick`].
    pub fn begin(asked: &AuthenticationOptions) -> Self {
        let is_known = !asked.user_identifier_token.is_empty();
        Self {
            asked: Asked::new(asked),
            stage: if is_known {
                Stage::Authentication
            } else {
                Stage::Discovery(None)
            },
            in_flight: false,
        }
    }

    /// Leaves out the UserInfo endpoint; then only an id_token says who the person is.
    #[must_use]
    pub const fn without_userinfo(mut self) -> Self {
        self.asked.userinfo = false;
        self
    }

    /// What it is doing; nothing once it has ended.
    pub const fn state(&self) -> Option<State> {
        match self.stage {
            Stage::Discovery(_) => Some(State::Discovery),
            Stage::Authentication | Stage::Tokens { .. } => Some(State::Authentication),
            Stage::Claims { .. } => Some(State::Tokens),
            Stage::Over => None,
        }
    }

    /// The `auth_req_id` by which a ping names it, once the provider has asked the person. Not for logs.
    pub fn expose_auth_req_id(&self) -> Option<&str> {
        match &self.stage {
            Stage::Tokens { auth_req_id, .. } => Some(auth_req_id),
            _ => None,
        }
    }

    /// Goes on, at `now`.
    pub fn step(&mut self, now: Duration, event: CibaEvent<'_>) -> CibaStep {
        let outcome = match event {
            CibaEvent::Tick => Ok(None),
            CibaEvent::Ping(id) => {
                self.pinged(now, id);
                Ok(None)
            }
            CibaEvent::Response(response) => {
                self.in_flight = false;
                self.take(now, response)
            }
        };
        let outcome = match outcome {
            Ok(Some(step)) => Ok(step),
            Ok(None) => self.next(now),
            Err(error) => Err(error),
        };
        outcome.unwrap_or_else(|error| {
            self.stage = Stage::Over;
            CibaStep::Failed(error)
        })
    }

    pub(super) fn pinged(&mut self, now: Duration, id: &str) {
        if let Stage::Tokens {
            auth_req_id,
            polling,
        } = &mut self.stage
            && auth_req_id.as_str() == id
        {
            polling.pinged(now);
        }
    }

    /// What is due.
    fn next(&mut self, now: Duration) -> Result<CibaStep, CibaError> {
        let never = CibaStep::Wait(Duration::MAX);
        let polling = match &self.stage {
            Stage::Over => return Ok(never),
            _ if self.in_flight => return Ok(never),
            Stage::Discovery(Some(session)) => Some((&session.polling, State::Discovery)),
            Stage::Tokens { polling, .. } => Some((polling, State::Authentication)),
            _ => None,
        };
        if let Some((polling, state)) = polling {
            match polling.step(now) {
                Step::Stop => return Err(CibaError::TimedOut { state }),
                Step::Wait(pause) => return Ok(CibaStep::Wait(now.saturating_add(pause))),
                Step::Ask => {}
            }
        }
        self.in_flight = true;
        Ok(CibaStep::Send(CibaRequest(self.due()?)))
    }

    fn due(&self) -> Result<Due, CibaError> {
        Ok(Due::Exchange(match &self.stage {
            Stage::Discovery(session) => Query::Session(session.as_ref().map(|it| it.id.clone())),
            Stage::Authentication | Stage::Over => {
                Query::Authentication(Box::new(self.asked.options()))
            }
            Stage::Tokens { auth_req_id, .. } => Query::Tokens(auth_req_id.clone()),
            Stage::Claims { .. } => {
                return Ok(Due::Claims {
                    tokens: Box::new(self.tokens()?),
                    userinfo: self.asked.userinfo,
                });
            }
        }))
    }

    /// Takes what came. What is to be done at once is given.
    fn take(
        &mut self,
        now: Duration,
        response: CibaResponse,
    ) -> Result<Option<CibaStep>, CibaError> {
        let exchange = match response.outcome {
            Outcome::Claims(outcome) => {
                self.stage = Stage::Over;
                return outcome.map(|done| Some(CibaStep::Done(done)));
            }
            Outcome::Exchange(exchange) => exchange,
        };
        let (verdict, random) = (response.verdict, response.random);
        match &mut self.stage {
            Stage::Discovery(session) => {
                let polling = session.as_mut().map(|session| &mut session.polling);
                match answered(polling, now, exchange, verdict, random)? {
                    Some(exchange) => self.discovered(now, &exchange),
                    None => Ok(None),
                }
            }
            Stage::Authentication => {
                if let Some(exchange) = answered(None, now, exchange, verdict, random)? {
                    self.acknowledged(now, &exchange)?;
                    self.asked.sent_at = response.now.map(UnixTime::as_secs);
                }
                Ok(None)
            }
            Stage::Tokens {
                auth_req_id,
                polling,
            } => {
                if let Some(exchange) = answered(Some(polling), now, exchange, verdict, random)? {
                    let response = String::from_utf8_lossy(&exchange.response.body);
                    let response = Zeroizing::new(response.into_owned());
                    // Nothing that cannot be used is waited for.
                    let Exchange {
                        response: kept,
                        url,
                        ..
                    } = exchange;
                    AccessToken::from_response(kept.body)
                        .map_err(|error| OAuthError::response(&url, error))?;
                    self.stage = Stage::Claims {
                        auth_req_id: core::mem::take(auth_req_id),
                        response,
                    };
                }
                Ok(None)
            }
            Stage::Claims { .. } | Stage::Over => Ok(None),
        }
    }

    /// A session, perhaps with a code to show.
    fn discovered(
        &mut self,
        now: Duration,
        exchange: &Exchange,
    ) -> Result<Option<CibaStep>, CibaError> {
        let session = Session::read(&exchange.response.body)
            .map_err(|reason| OAuthError::response(&exchange.url, reason))?;
        let (id, qr, interval) = match session {
            Session::Discovered(token) => {
                self.asked.user_identifier_token = token.0;
                self.stage = Stage::Authentication;
                return Ok(None);
            }
            Session::Pending { id, qr, interval } => (id, qr, interval),
        };
        let polling = match &self.stage {
            Stage::Discovery(Some(session)) => {
                let mut polling = session.polling.clone();
                // The default holds for each answer that names none.
                polling.pending(now, Some(interval.unwrap_or(DEFAULT_INTERVAL)));
                polling
            }
            _ => Polling::new(now, interval, discovery::LIFETIME),
        };
        self.stage = Stage::Discovery(Some(DiscoverySession { id, polling }));
        Ok(qr.map(CibaStep::ShowQr))
    }

    fn acknowledged(&mut self, now: Duration, exchange: &Exchange) -> Result<(), CibaError> {
        let acknowledgement = Acknowledgement::read(&exchange.response.body)
            .map_err(|reason| OAuthError::response(&exchange.url, reason))?;
        let lifetime = acknowledgement.expires_in;
        let polling = Polling::new(now, acknowledgement.interval, lifetime);
        self.stage = Stage::Tokens {
            auth_req_id: acknowledgement.auth_req_id,
            polling: if self.asked.is_pinged() {
                polling.beside_ping()
            } else {
                polling
            },
        };
        Ok(())
    }

    /// How long what it waits for may still take.
    pub(super) fn left(&self, now: Duration) -> Duration {
        match &self.stage {
            Stage::Discovery(Some(session)) => session.polling.left(now),
            Stage::Tokens { polling, .. } => polling.left(now),
            _ => Duration::ZERO,
        }
    }

    /// The person, once they are known.
    pub(super) fn person(&self) -> Option<&Zeroizing<String>> {
        let is_known = matches!(self.stage, Stage::Authentication);
        is_known.then_some(&self.asked.user_identifier_token)
    }

    /// The tokens, once they are there.
    pub(super) fn tokens(&self) -> Result<Tokens, CibaError> {
        match &self.stage {
            Stage::Claims {
                auth_req_id,
                response,
            } => self.asked.tokens(auth_req_id, response),
            _ => Err(CibaError::Sealed),
        }
    }

    /// The request that is due is not sent yet.
    pub(super) fn put_back(&mut self) {
        self.in_flight = false;
    }

    /// As [`CibaFlow::begin`], without user discovery whatever is asked.
    pub(super) fn about_somebody_known(asked: &AuthenticationOptions) -> Self {
        Self {
            stage: Stage::Authentication,
            ..Self::begin(asked)
        }
    }
}

impl Authenticated {
    pub(super) fn new(identity: Identity, tokens: Tokens) -> Self {
        Self { identity, tokens }
    }
}

impl fmt::Debug for CibaFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CibaFlow")
            .field("state", &self.state())
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
