//! What goes to the provider, and what comes back.

use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

use super::Authenticated;
use crate::http::HttpCause;
use crate::oauth::{AuthenticationOptions, OAuthError};
use crate::oidc::OidcError;
use crate::oidc::ciba::CibaError;
use crate::oidc::ciba::exchange::{Exchange, Tokens};
use crate::oidc::ciba::polling::Polling;
use crate::oidc::ciba::response::{PollOutcome, interval_of};

/// A request that is due. What is in it is for the provider.
pub struct CibaRequest(pub(in crate::oidc::ciba) Due);

pub(in crate::oidc::ciba) enum Due {
    /// A discovery session: a new one, or how that one is.
    Session(Option<String>),
    /// That a person be asked.
    Authentication(Box<AuthenticationOptions>),
    /// The tokens for that `auth_req_id`.
    Tokens(Zeroizing<String>),
    /// What those tokens say, perhaps with UserInfo.
    Claims(Box<Tokens>, bool),
}

/// What came of a request.
pub struct CibaResponse {
    pub(in crate::oidc::ciba) outcome: Result<Answer, CibaError>,
    /// Decides by how much later the next try is.
    pub(in crate::oidc::ciba) random: u64,
}

pub(in crate::oidc::ciba) enum Answer {
    Said(Box<Exchange>),
    Claims(Box<Authenticated>),
}

/// What was asked for, if it has come. What is asked once has no `polling`.
pub(super) fn answered(
    polling: Option<&mut Polling>,
    now: Duration,
    response: CibaResponse,
) -> Result<Option<Answer>, CibaError> {
    let random = response.random;
    let exchange = match (response.outcome, &polling) {
        (Ok(Answer::Said(exchange)), _) => exchange,
        (Ok(claims), _) => return Ok(Some(claims)),
        (Err(error), Some(_)) if may_pass(&error) => {
            let is_asked_again = polling.is_some_and(|polling| polling.failed(now, None, random));
            return if is_asked_again { Ok(None) } else { Err(error) };
        }
        (Err(error), _) => return Err(error),
    };
    let outcome = PollOutcome::of(&exchange.response, exchange.now);
    if outcome == PollOutcome::Success {
        return Ok(Some(Answer::Said(exchange)));
    }
    let is_asked_again = polling.is_some_and(|polling| {
        match outcome {
            PollOutcome::Pending => polling.pending(now, interval_of(&exchange.response.body)),
            PollOutcome::SlowDown(pause) => polling.slow_down(now, pause),
            PollOutcome::Trouble(pause) => return polling.failed(now, pause, random),
            PollOutcome::Success | PollOutcome::Refused => return false,
        }
        true
    });
    if is_asked_again {
        Ok(None)
    } else {
        Err(exchange.refused().into())
    }
}

/// Whether another try may do better: the network and its names, not the server's certificate or its HTTP.
const fn may_pass(error: &CibaError) -> bool {
    matches!(error, CibaError::Oidc(OidcError::OAuth(OAuthError::Http(error))) if matches!(
        error.cause(),
        HttpCause::HostNotFound | HttpCause::Timeout | HttpCause::Connection
    ))
}

impl fmt::Debug for CibaRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Due::Session(_) => "CibaRequest(user discovery)",
            Due::Authentication(_) => "CibaRequest(authentication)",
            Due::Tokens(_) => "CibaRequest(tokens)",
            Due::Claims(..) => "CibaRequest(claims)",
        })
    }
}

privyseal_core::opaque_debug! { [] CibaResponse; }
