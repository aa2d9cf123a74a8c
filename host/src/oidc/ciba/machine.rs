//! One authentication of one person as a state machine: it says what to do next, and is told what came of it. It has
//! no input or output, no thread and no lock, so a web backend can have thousands that wait for a person, and store
//! them ([`CibaFlow::seal`]).

use core::time::Duration;

use privyseal_core::UnixTime;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::discovery::{self, QrImage, Session};
use super::polling::{DEFAULT_INTERVAL, Polling, Step};
use super::response::Acknowledgement;
use super::{CibaError, Identity, State};
use crate::base::seal::SealKey;
use crate::http::{Response, Url};
use crate::oauth::{AccessToken, AuthenticationOptions, OAuthError, stored_token};
use crate::oidc::OidcError;

/// What a sealed flow is for.
const PURPOSE: &str = "privyseal ciba 4";

/// One authentication, from the QR code to the claims. `Debug` shows how far it is.
///
/// Moments are durations since a start that the caller chooses, the same for all steps: 1970, where a flow is stored
/// ([`SystemRuntime::elapsed`](crate::base::runtime::SystemRuntime)). It goes on at the provider that answered first
/// ([`OidcError::OtherProvider`]).
#[derive(Clone)]
pub struct CibaFlow {
    kept: Kept,
    /// Whether a request is under way.
    in_flight: bool,
}

/// What is kept of it, in the shape in which it is sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) asked: AuthenticationOptions,
    /// Who answered first.
    pub(super) issuer: Option<String>,
    /// Whether UserInfo is asked, too.
    pub(super) userinfo: bool,
    /// When the provider had taken the request, in seconds since 1970.
    pub(super) sent_at: Option<u64>,
    pub(super) stage: Stage,
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
    Done(Box<Identity>),
    /// It has ended otherwise.
    Failed(CibaError),
}

/// A request that is due: of a flow at that stage. What is in it is for the provider.
pub struct CibaRequest(pub(super) Box<Kept>);

/// What came of a request.
pub struct CibaResponse {
    pub(super) outcome: Result<Answer, CibaError>,
    pub(super) issuer: String,
    pub(super) came_at: UnixTime,
    /// Decides by how much later the next try is.
    pub(super) random: u64,
}

pub(super) enum Answer {
    /// That address, this.
    Said(Url, Box<Response>),
    Claims(Box<Identity>),
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Which person is meant: the id of a session, and when it is asked.
    Discovery(Option<(String, Polling)>),
    /// The person is to be asked.
    Authentication,
    /// The person is asked.
    Tokens {
        id: Zeroizing<String>,
        polling: Polling,
    },
    /// The person has confirmed: what do these tokens say, perhaps with UserInfo?
    Claims {
        id: Zeroizing<String>,
        #[serde(rename = "response", with = "stored_token")]
        access: AccessToken,
    },
    /// It has ended.
    Over,
}

impl CibaFlow {
    /// An authentication that asks for `asked`; without a `user_identifier_token` it begins with user discovery. With
    /// a `client_notification_token`, pings are waited for. The first event is a [`CibaEvent::Tick`].
    pub fn begin(asked: &AuthenticationOptions) -> Self {
        let stage = match asked.user_identifier_token.as_str() {
            "" => Stage::Discovery(None),
            _ => Stage::Authentication,
        };
        let kept = Kept {
            asked: asked.clone(),
            issuer: None,
            userinfo: true,
            sent_at: None,
            stage,
        };
        let in_flight = false;
        Self { kept, in_flight }
    }

    /// Leaves out the UserInfo endpoint; then only an id_token says who the person is.
    #[must_use]
    pub const fn without_userinfo(mut self) -> Self {
        self.kept.userinfo = false;
        self
    }

    /// Encrypted, for a database: another process can go on with it, where all steps are given UNIX time
    /// ([`CibaFlow::step`]). `binding` is what else must be the same when it is opened, such as the name of the browser's
    /// session.
    ///
    /// # Errors
    ///
    /// [`CibaError::Oidc`] if there is no randomness.
    pub fn seal(&self, key: &SealKey, binding: &[u8]) -> Result<String, CibaError> {
        Ok(key.seal(PURPOSE, binding, &self.kept)?)
    }

    /// Opens what [`CibaFlow::seal`] made, to go on in UNIX time, at the same provider. A request that was under way then
    /// is sent again. Of several processes that open it, one goes on: that is for the one who stores it to see to.
    ///
    /// # Errors
    ///
    /// [`CibaError::Oidc`] around [`BaseError::Sealed`](crate::base::BaseError::Sealed).
    pub fn open(sealed: &str, key: &SealKey, binding: &[u8]) -> Result<Self, CibaError> {
        let kept = key.open(PURPOSE, binding, sealed)?;
        let in_flight = false;
        Ok(Self { kept, in_flight })
    }

    /// What it is doing; nothing once it has ended.
    pub const fn state(&self) -> Option<State> {
        match self.kept.stage {
            Stage::Discovery(_) => Some(State::Discovery),
            Stage::Authentication | Stage::Tokens { .. } => Some(State::Authentication),
            Stage::Claims { .. } => Some(State::Tokens),
            Stage::Over => None,
        }
    }

    /// The `auth_req_id` by which a ping names it, once the provider has asked the person. Not for logs.
    pub fn expose_auth_req_id(&self) -> Option<&str> {
        match &self.kept.stage {
            Stage::Tokens { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Goes on, at `now`: since 1970 where the flow is stored, or another process would wait for decades, or not at all.
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
        let step = outcome.and_then(|step| step.map_or_else(|| self.next(now), Ok));
        step.unwrap_or_else(|error| {
            self.kept.stage = Stage::Over;
            CibaStep::Failed(error)
        })
    }

    pub(super) fn pinged(&mut self, now: Duration, id: &str) {
        if let Stage::Tokens { id: own, polling } = &mut self.kept.stage
            && own.as_str() == id
        {
            polling.pinged(now);
        }
    }

    /// What is asked again and again.
    fn polling(&mut self) -> Option<&mut Polling> {
        match &mut self.kept.stage {
            Stage::Discovery(Some((_, polling))) | Stage::Tokens { polling, .. } => Some(polling),
            _ => None,
        }
    }

    /// What is due.
    fn next(&mut self, now: Duration) -> Result<CibaStep, CibaError> {
        let Some(state) = self.state().filter(|_| !self.in_flight) else {
            return Ok(CibaStep::Wait(Duration::MAX));
        };
        match self.polling().map(|polling| polling.step(now)) {
            Some(Step::Stop) => return Err(CibaError::TimedOut { state }),
            Some(Step::Wait(pause)) => return Ok(CibaStep::Wait(now.saturating_add(pause))),
            Some(Step::Ask) | None => {}
        }
        self.in_flight = true;
        let kept = Box::new(self.kept.clone());
        Ok(CibaStep::Send(CibaRequest(kept)))
    }

    /// Takes what came. What is to be done at once is given.
    fn take(
        &mut self,
        now: Duration,
        response: CibaResponse,
    ) -> Result<Option<CibaStep>, CibaError> {
        if matches!(self.kept.stage, Stage::Over) {
            return Ok(None);
        }
        self.kept.issuer.get_or_insert(response.issuer);
        let (url, body) = match response.outcome {
            Ok(Answer::Said(url, response)) => (url, response.body),
            Ok(Answer::Claims(person)) => {
                self.kept.stage = Stage::Over;
                return Ok(Some(CibaStep::Done(person)));
            }
            Err(error) => {
                let (came_at, random) = (response.came_at, response.random);
                let is_asked_again = match (&error, self.polling()) {
                    (CibaError::Oidc(OidcError::OAuth(cause)), Some(polling)) => {
                        polling.is_asked_again(now, cause, came_at, random)
                    }
                    _ => false,
                };
                return if is_asked_again { Ok(None) } else { Err(error) };
            }
        };
        let unusable = |reason: String| OAuthError::response(&url, reason);
        match &mut self.kept.stage {
            Stage::Discovery(known) => {
                let known = known.as_ref().map(|(id, _)| id.as_str());
                let session = Session::read(&body, known).map_err(unusable)?;
                return Ok(self.discovered(now, response.came_at, session));
            }
            Stage::Authentication => {
                let said = Acknowledgement::read(&body).map_err(unusable)?;
                let mut polling = Polling::new(now, said.interval, said.expires_in);
                if self.kept.asked.client_notification_token.is_some() {
                    polling = polling.beside_ping();
                }
                let id = said.auth_req_id;
                self.kept.stage = Stage::Tokens { id, polling };
                self.kept.sent_at = Some(response.came_at.as_secs());
            }
            Stage::Tokens { id, .. } => {
                let access = AccessToken::from_response(body);
                let access = access.map_err(|error| unusable(error.to_string()))?;
                let id = core::mem::take(id);
                self.kept.stage = Stage::Claims { id, access };
            }
            Stage::Claims { .. } | Stage::Over => {}
        }
        Ok(None)
    }

    /// A session, perhaps with a code to show.
    fn discovered(
        &mut self,
        now: Duration,
        came_at: UnixTime,
        session: Session,
    ) -> Option<CibaStep> {
        let (id, qr, interval) = match session {
            Session::Discovered(token) => {
                self.kept.asked.user_identifier_token = token;
                self.kept.stage = Stage::Authentication;
                return None;
            }
            Session::Pending { id, qr, interval } => (id, qr, interval),
        };
        let polling = match self.polling() {
            Some(polling) => {
                // The default holds for each answer that names none.
                polling.pending(now, Some(interval.unwrap_or(DEFAULT_INTERVAL)));
                polling.clone()
            }
            None => Polling::new(now, interval, discovery::LIFETIME),
        };
        self.kept.stage = Stage::Discovery(Some((id, polling)));
        qr.filter(|qr| !qr.is_over(came_at)).map(CibaStep::ShowQr)
    }

    /// How long what it waits for may still take.
    pub(super) fn left(&mut self, now: Duration) -> Duration {
        let polling = self.polling();
        polling.map_or(Duration::ZERO, |polling| polling.left(now))
    }

    /// The request that is due is not sent yet.
    pub(super) fn put_back(&mut self) {
        self.in_flight = false;
    }
}

privyseal_core::opaque_debug! {
    [] CibaFlow as it: state = it.state(), in_flight;
    [] CibaRequest;
    [] CibaResponse;
}

#[cfg(test)]
mod tests;
