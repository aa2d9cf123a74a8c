//! What goes to the provider, and what comes back.

use core::fmt;
use core::time::Duration;

use privyseal_core::UnixTime;
use zeroize::Zeroizing;

use super::Authenticated;
use crate::http::HttpCause;
use crate::oauth::{AuthenticationOptions, OAuthError};
use crate::oidc::ciba::CibaError;
use crate::oidc::ciba::exchange::{Exchange, Tokens};
use crate::oidc::ciba::polling::Polling;
use crate::oidc::ciba::response::{PollOutcome, interval_of};

/// A request that is due. What is in it is for the provider.
pub struct CibaRequest(pub(in crate::oidc::ciba) Due);

pub(in crate::oidc::ciba) enum Due {
    /// Something of the provider.
    Exchange(Query),
    /// What those tokens say.
    Claims { tokens: Box<Tokens>, userinfo: bool },
}

pub(in crate::oidc::ciba) enum Query {
    /// A discovery session: a new one, or how that one is.
    Session(Option<String>),
    /// That a person be asked.
    Authentication(Box<AuthenticationOptions>),
    /// The tokens for that `auth_req_id`.
    Tokens(Zeroizing<String>),
}

/// What came of a request.
pub struct CibaResponse {
    pub(in crate::oidc::ciba) outcome: Outcome,
    /// The time then.
    pub(in crate::oidc::ciba) now: Option<UnixTime>,
    /// When to come back, if the server said so.
    pub(in crate::oidc::ciba) verdict: PollOutcome,
    /// Decides by how much later the next try is.
    pub(in crate::oidc::ciba) random: u64,
}

pub(in crate::oidc::ciba) enum Outcome {
    Exchange(Result<Exchange, OAuthError>),
    Claims(Result<Box<Authenticated>, CibaError>),
}

/// The response that was asked for, if it has come. What is asked once has no `polling`.
pub(super) fn answered(
    polling: Option<&mut Polling>,
    now: Duration,
    exchange: Result<Exchange, OAuthError>,
    verdict: PollOutcome,
    random: u64,
) -> Result<Option<Exchange>, CibaError> {
    let (exchange, polling) = match (exchange, polling) {
        (Ok(exchange), _) if verdict == PollOutcome::Success => return Ok(Some(exchange)),
        (Ok(exchange), None) => return Err(exchange.refused().into()),
        (Err(error), Some(polling)) if may_pass(&error) => {
            return if polling.failed(now, None, random) {
                Ok(None)
            } else {
                Err(error.into())
            };
        }
        (Err(error), _) => return Err(error.into()),
        (Ok(exchange), Some(polling)) => (exchange, polling),
    };
    match verdict {
        PollOutcome::Pending => polling.pending(now, interval_of(&exchange.response.body)),
        PollOutcome::SlowDown(pause) => polling.slow_down(now, pause),
        PollOutcome::Trouble(pause) if polling.failed(now, pause, random) => {}
        _ => return Err(exchange.refused().into()),
    }
    Ok(None)
}

/// Whether another try may do better: the network and its names, not the server's certificate or its HTTP.
const fn may_pass(error: &OAuthError) -> bool {
    matches!(error, OAuthError::Http(error) if matches!(
        error.cause(),
        HttpCause::HostNotFound | HttpCause::Timeout | HttpCause::Connection
    ))
}

impl fmt::Debug for CibaRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Due::Exchange(Query::Session(_)) => "CibaRequest(user discovery)",
            Due::Exchange(Query::Authentication(_)) => "CibaRequest(authentication)",
            Due::Exchange(Query::Tokens(_)) => "CibaRequest(tokens)",
            Due::Claims { .. } => "CibaRequest(claims)",
        })
    }
}

impl fmt::Debug for CibaResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CibaResponse")
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}
