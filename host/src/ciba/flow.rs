//! The flow itself: it sends what has to be sent, when that is due, with a new assertion each time.

use core::fmt;
use core::time::Duration;

use privyseal_core::limits::MAX_TOKEN_RESPONSE;
use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use privyseal_core::{Signer, Unwrapper};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::answer::{Acknowledgement, Meaning};
use super::discovery::{self, Session, UserIdentifierToken};
use super::form::Form;
use super::identity::{self, IdTokenRules, Identity};
use super::ping::PingListener;
use super::polling::{Polling, Step};
use super::timer::Timer;
use super::watcher::{State, Watcher};
use crate::access_token::AccessToken;
use crate::audience::{AudienceParts, REQUEST};
use crate::client::{AssertionOptions, AuthenticationOptions, Client};
use crate::error::Error;
use crate::http::{BaseUrl, Http, HttpCause, MAX_CALL_RESPONSE, Response, Url, UrlError};
use crate::provider::Provider;
use crate::refusal::Refusal;
use crate::refusal::meaning::Stage;

/// The largest answer of the backchannel authentication endpoint, in bytes.
const MAX_ACKNOWLEDGEMENT: usize = 16 * 1024;

/// How often somebody who waits is told how long it may still take.
const TELL: Duration = Duration::from_secs(1);

/// One client, one provider, and what they need to get from a QR code to the claims of a person.
///
/// The steps are [`Ciba::discover_user`], [`Ciba::authenticate`], [`Ciba::tokens`] and
/// [`Ciba::identity`], in this order; the first is left out where the person is known already.
pub struct Ciba<'a, S, U, T> {
    /// Asks.
    pub http: &'a Http,
    /// Signs.
    pub client: &'a mut Client<S>,
    /// Answers.
    pub provider: &'a mut Provider,
    /// Decrypts, where encryption was agreed on when the client was registered.
    pub unwrapper: Option<&'a mut U>,
    /// The clocks.
    pub timer: T,
    /// What is said about every assertion; its audience, moment and `jti` are chosen here.
    pub assertion: AssertionOptions,
}

/// An authentication request that the provider has taken.
#[derive(Debug)]
pub struct Pending {
    acknowledgement: Acknowledgement,
    polling: Polling,
}

/// How the client learns that the person has confirmed.
#[derive(Debug)]
pub enum Delivery<'a> {
    /// It asks again and again.
    Poll,
    /// It is called.
    Ping(&'a PingListener),
}

/// What the token endpoint gave. `Debug` shows none of it.
pub struct Tokens {
    /// For the UserInfo endpoint.
    pub access: AccessToken,
    /// As it came: encrypted, mostly.
    pub id_token: Zeroizing<String>,
    auth_req_id: Zeroizing<String>,
}

impl<S, U, T> Ciba<'_, S, U, T>
where
    S: Signer,
    S::Error: Send + Sync + 'static,
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
    T: Timer,
{
    /// Shows QR codes until somebody has scanned one (itsme's user discovery). Gives up after
    /// [`discovery::LIFETIME`].
    pub fn discover_user(
        &mut self,
        watcher: &mut dyn Watcher,
    ) -> Result<UserIdentifierToken, Error> {
        let mut url = self.below(discovery::PATH)?;
        let mut response = self.post(&url, "discovery", &[], discovery::MAX_ANSWER)?;
        let mut polling = None;
        loop {
            let (id, interval) = match self.session(&url, &response, watcher)? {
                Session::Discovered(token) => return Ok(token),
                Session::Pending { id, interval, .. } => (id, interval),
            };
            let now = self.timer.elapsed();
            let polling = match &mut polling {
                Some(polling) => {
                    Polling::pending(polling, now, interval);
                    polling
                }
                none => none.insert(Polling::new(now, interval, discovery::LIFETIME)),
            };
            url = self.below(&format!("{}/{id}", discovery::PATH))?;
            response = self.ask(
                polling,
                State::Discovery,
                watcher,
                |flow| flow.post(&url, "discovery", &[], discovery::MAX_ANSWER),
                &url,
            )?;
        }
    }

    /// Asks the provider to ask the person. `asked` names them, and what is wanted.
    pub fn authenticate(
        &mut self,
        asked: &AuthenticationOptions,
        delivery: &Delivery<'_>,
    ) -> Result<Pending, Error> {
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
        let options = self.options(REQUEST)?;
        let request = self.client.authentication_request(&options, &asked)?;
        let request = Zeroizing::new(request.as_str().to_owned());
        let members = [("request", request.as_str())];
        let response = self.post(&url, "backchannel", &members, MAX_ACKNOWLEDGEMENT)?;
        let now = self.timer.elapsed();
        if Meaning::of(&response, self.timer.date()?) != Meaning::Success {
            return Err(refused(&url, &response));
        }
        let acknowledgement = Acknowledgement::read(&response.body)
            .map_err(|reason| Error::Response { url, reason })?;
        let lifetime = acknowledgement.expires_in;
        Ok(Pending {
            polling: Polling::new(now, acknowledgement.interval, lifetime),
            acknowledgement,
        })
    }

    /// Waits until the person has confirmed, and fetches the tokens.
    pub fn tokens(
        &mut self,
        pending: Pending,
        delivery: &Delivery<'_>,
        watcher: &mut dyn Watcher,
    ) -> Result<Tokens, Error> {
        let Pending {
            acknowledgement,
            mut polling,
        } = pending;
        let url = self.provider.metadata().token_endpoint().clone();
        let id = acknowledgement.auth_req_id;
        if let Delivery::Ping(listener) = delivery {
            self.pinged(listener, &id, &mut polling, watcher)?;
        }
        let members = [
            ("grant_type", "urn:openid:params:grant-type:ciba"),
            ("auth_req_id", id.as_str()),
        ];
        let response = self.ask(
            &mut polling,
            State::Authentication,
            watcher,
            |flow| flow.post(&url, "token", &members, MAX_TOKEN_RESPONSE),
            &url,
        )?;
        watcher.waiting(State::Tokens, Duration::ZERO);
        Tokens::read(&url, response, id)
    }

    /// The claims of the id_token, and with `userinfo` those of the UserInfo endpoint too.
    pub fn identity(&mut self, tokens: &Tokens, userinfo: bool) -> Result<Identity, Error> {
        const WHAT: &str = "id_token";
        let now = self.timer.date()?;
        let jws = identity::decrypted(WHAT, &tokens.id_token, self.unwrapper.as_deref_mut())?;
        let provider = &mut *self.provider;
        let verified = provider.keys().verify(self.http, now, WHAT, &jws)?;
        let rules = IdTokenRules {
            issuer: provider.metadata().issuer(),
            client_id: self.client.credential().client_id(),
            now,
            access_token: tokens.access.expose(),
            auth_req_id: &tokens.auth_req_id,
            nonce: None,
        };
        let id_token = identity::id_token(&verified, &rules)
            .map_err(|error| Error::Jws { what: WHAT, error })?;
        let userinfo = if userinfo {
            Some(self.userinfo(tokens, &id_token)?)
        } else {
            None
        };
        Ok(Identity { id_token, userinfo })
    }

    fn userinfo(
        &mut self,
        tokens: &Tokens,
        id_token: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        const WHAT: &str = "userinfo answer";
        let url = match self.provider.metadata().userinfo_endpoint() {
            Some(url) => url.clone(),
            None => self.below("/userinfo")?,
        };
        let bearer = tokens.access.expose();
        let response = self.http.get(&url, &tokens.access, MAX_CALL_RESPONSE)?;
        if !response.is_success() {
            return Err(Refusal::new(&url, Stage::Call, &response, Some(bearer)).into());
        }
        let now = self.timer.date()?;
        let text = core::str::from_utf8(&response.body).unwrap_or_default();
        let is_json = response.media_type.as_deref() == Some("application/json");
        let claims = if is_json && self.unwrapper.is_none() && !is_jwt(text) {
            serde_json::from_slice(&response.body).map_err(|_| Error::Response {
                url,
                reason: "the answer is not a JSON object".to_owned(),
            })?
        } else {
            let jws = identity::decrypted(WHAT, text.trim(), self.unwrapper.as_deref_mut())?;
            let keys = self.provider.keys();
            let verified = keys.verify(self.http, now, WHAT, &jws)?;
            verified
                .claims()
                .map_err(|error| Error::Jws { what: WHAT, error })?
        };
        let rules = IdTokenRules {
            issuer: self.provider.metadata().issuer(),
            client_id: self.client.credential().client_id(),
            now,
            access_token: bearer,
            auth_req_id: &tokens.auth_req_id,
            nonce: None,
        };
        identity::userinfo(claims, id_token, &rules)
            .map_err(|error| Error::Jws { what: WHAT, error })
    }

    /// Waits for the ping that is for this request. The provider may be asked at once then.
    fn pinged(
        &mut self,
        listener: &PingListener,
        id: &str,
        polling: &mut Polling,
        watcher: &mut dyn Watcher,
    ) -> Result<(), Error> {
        loop {
            let left = polling.left(self.timer.elapsed());
            if left.is_zero() {
                return Err(timed_out(State::Authentication));
            }
            watcher.waiting(State::Authentication, left);
            // One for an earlier request is good for nothing here.
            if listener
                .wait(left.min(TELL))
                .is_some_and(|ping| *ping == id)
            {
                polling.now(self.timer.elapsed());
                return Ok(());
            }
        }
    }

    /// Asks again and again until there is an answer that ends it.
    fn ask(
        &mut self,
        polling: &mut Polling,
        state: State,
        watcher: &mut dyn Watcher,
        mut question: impl FnMut(&mut Self) -> Result<Response, Error>,
        url: &Url,
    ) -> Result<Response, Error> {
        loop {
            let now = self.timer.elapsed();
            match polling.step(now) {
                Step::Stop => return Err(timed_out(state)),
                Step::Wait(pause) => {
                    watcher.waiting(state, polling.left(now));
                    self.timer.sleep(pause.min(TELL));
                    continue;
                }
                Step::Ask => {}
            }
            let answer = question(self);
            let now = self.timer.elapsed();
            let response = match answer {
                Ok(response) => response,
                Err(error) if may_pass(&error) && polling.failed(now) => continue,
                Err(error) => return Err(error),
            };
            match Meaning::of(&response, self.timer.date()?) {
                Meaning::Success => return Ok(response),
                Meaning::Pending => polling.pending(now, None),
                Meaning::SlowDown(pause) => polling.slow_down(now, pause),
                Meaning::Trouble if polling.failed(now) => {}
                Meaning::Trouble | Meaning::Refused => return Err(refused(url, &response)),
            }
        }
    }

    /// Reads a session; a QR code in it is shown.
    fn session(
        &mut self,
        url: &Url,
        response: &Response,
        watcher: &mut dyn Watcher,
    ) -> Result<Session, Error> {
        if Meaning::of(response, self.timer.date()?) != Meaning::Success {
            return Err(refused(url, response));
        }
        let session = Session::read(&response.body).map_err(|reason| Error::Response {
            url: url.clone(),
            reason,
        })?;
        if let Session::Pending { qr: Some(qr), .. } = &session {
            watcher.qr_code(qr)?;
        }
        Ok(session)
    }

    /// Posts `members`, and who sends them, with a new assertion for that endpoint.
    fn post(
        &mut self,
        url: &Url,
        endpoint: &str,
        members: &[(&str, &str)],
        max: usize,
    ) -> Result<Response, Error> {
        let options = self.options(endpoint)?;
        let client_id = self.client.credential().client_id().to_string();
        let assertion = self.client.assertion(&options)?;
        let own = [
            ("client_id", client_id.as_str()),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        let form = Form::of(&[members, &own].concat());
        Ok(self.http.post_form(url, form.as_bytes(), max)?)
    }

    fn options(&self, endpoint: &str) -> Result<AssertionOptions, Error> {
        let base = self.base()?;
        let parts = AudienceParts {
            endpoint: Some(endpoint),
            base_url: Some(base.as_str()),
            ..AudienceParts::default()
        };
        Ok(AssertionOptions {
            audience: parts.choose(self.client.credential().scheme())?,
            now: Some(self.timer.date()?),
            jti: None,
            ..self.assertion.clone()
        })
    }

    fn below(&self, path: &str) -> Result<Url, Error> {
        self.base()?
            .join(path)
            .map_err(|error| option(&error.to_string()))
    }

    /// itsme's paths are below the issuer.
    fn base(&self) -> Result<BaseUrl, Error> {
        let base = self.provider.metadata().issuer().parse();
        base.map_err(|error: UrlError| option(&error.to_string()))
    }
}

fn option(reason: &str) -> Error {
    Error::Option {
        option: "--base-url",
        reason: reason.to_owned(),
    }
}

impl Tokens {
    fn read(url: &Url, response: Response, id: Zeroizing<String>) -> Result<Self, Error> {
        let unusable = |reason: &str| Error::Response {
            url: url.clone(),
            reason: reason.to_owned(),
        };
        let access = AccessToken::from_response(response.body)
            .map_err(|error| unusable(&error.to_string()))?;
        let answer: Map<String, Value> = serde_json::from_slice(access.expose_response())
            .map_err(|_| unusable("the answer is not a JSON object"))?;
        let id_token = answer
            .get("id_token")
            .and_then(Value::as_str)
            .ok_or_else(|| {
                unusable("id_token is missing in the answer (CIBA Core section 10.1.1)")
            })?;
        Ok(Self {
            id_token: Zeroizing::new(id_token.to_owned()),
            access,
            auth_req_id: id,
        })
    }
}

/// Nothing that was sent is repeated: [`crate::server_text`] leaves out whatever looks like a token.
fn refused(url: &Url, response: &Response) -> Error {
    Refusal::new(url, Stage::Token, response, None).into()
}

const fn timed_out(state: State) -> Error {
    Error::TimedOut { state }
}

/// Whether another try may do better: the network, not the server's certificate or its HTTP.
const fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Http(error)
        if matches!(error.cause(), HttpCause::Timeout | HttpCause::Connection))
}

fn is_jwt(text: &str) -> bool {
    !text.trim_start().starts_with('{')
}

impl<S, U, T> fmt::Debug for Ciba<'_, S, U, T> {
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
