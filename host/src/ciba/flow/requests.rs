//! One request and its answer, and asking again until there is one.

use core::time::Duration;

use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use privyseal_core::{Signer, Unwrapper};

use super::Ciba;
use crate::audience::AudienceParts;
use crate::ciba::answer::Meaning;
use crate::ciba::discovery::Session;
use crate::ciba::form::Form;
use crate::ciba::ping::PingListener;
use crate::ciba::polling::{Polling, Step};
use crate::ciba::timer::Timer;
use crate::ciba::watcher::{State, Watcher};
use crate::client::AssertionOptions;
use crate::error::Error;
use crate::http::{BaseUrl, HttpCause, Response, Url, UrlError};
use crate::refusal::Refusal;
use crate::refusal::meaning::Stage;

/// How often somebody who waits is told how long it may still take.
const TELL: Duration = Duration::from_secs(1);

impl<S, U, T> Ciba<'_, S, U, T>
where
    S: Signer,
    S::Error: Send + Sync + 'static,
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
    T: Timer,
{
    /// Waits for the ping that is for this request. The provider may be asked at once then.
    pub(super) fn pinged(
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
    pub(super) fn ask(
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
    pub(super) fn session(
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
    pub(super) fn post(
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

    pub(super) fn options(&self, endpoint: &str) -> Result<AssertionOptions, Error> {
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

    pub(super) fn below(&self, path: &str) -> Result<Url, Error> {
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

/// Nothing that was sent is repeated: [`crate::server_text`] leaves out whatever looks like a token.
pub(super) fn refused(url: &Url, response: &Response) -> Error {
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
