//! What the provider's responses mean.

use core::time::Duration;

use privyseal_core::UnixTime;
use privyseal_core::token::ErrorResponse;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::http::Response;

/// The longest `auth_req_id`, in characters. CIBA Core names no bound; Keycloak's is a JWE around a JWS and
/// has about 1,400.
pub(super) const MAX_AUTH_REQ_ID: usize = 4096;

/// The longest that a request may wait for a person: a day, as `requested_expiry` may ask for.
const MAX_EXPIRES_IN: u64 = privyseal_core::limits::MAX_REQUESTED_EXPIRY_SECONDS;

/// What a response means to a client that polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PollOutcome {
    /// It is what was asked for.
    Success,
    /// `authorization_pending`: not yet.
    Pending,
    /// `slow_down`, or HTTP 429: not yet, and it was asked for too soon. Perhaps with when to come back.
    SlowDown(Option<Duration>),
    /// The server is in trouble, which may pass (HTTP 408 and 5xx). Perhaps with when to come back.
    Trouble(Option<Duration>),
    /// A final no.
    Refused,
}

impl PollOutcome {
    /// Judges a response that came at `now`.
    pub(super) fn of(response: &Response, now: UnixTime) -> Self {
        let error = ErrorResponse::parse(&response.body).ok();
        let is = |code| error.as_ref().is_some_and(|it| it.error.equals(code));
        let retry_after = response.retry_after.map(|after| after.pause(now));
        let retry_after = retry_after.filter(|pause| !pause.is_zero());
        if response.status == 429 || is("slow_down") {
            Self::SlowDown(retry_after)
        } else if is("authorization_pending") {
            Self::Pending
        } else if matches!(response.status, 408 | 500..) {
            Self::Trouble(retry_after)
        } else if response.is_success() && error.is_none() {
            Self::Success
        } else {
            Self::Refused
        }
    }
}

/// A successful response of the backchannel authentication endpoint (CIBA Core section 7.3).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Acknowledgement {
    /// `auth_req_id`: names the request where its tokens are asked for. Not for logs.
    pub auth_req_id: Zeroizing<String>,
    /// `expires_in`: how long it may take.
    pub expires_in: Duration,
    /// `interval`: how often may be asked.
    pub interval: Option<Duration>,
}

impl Acknowledgement {
    /// Reads it. The error is a clause about it.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let answer: Value =
            serde_json::from_slice(body).map_err(|_| "the answer is not JSON".to_owned())?;
        let id = answer
            .get("auth_req_id")
            .and_then(Value::as_str)
            .ok_or("auth_req_id is missing in the answer (CIBA Core section 7.3)")?;
        let fits = !id.is_empty()
            && id.len() <= MAX_AUTH_REQ_ID
            && id.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(format!(
                "auth_req_id has {} characters, and must be 1 to {MAX_AUTH_REQ_ID} of visible ASCII \
                 (CIBA Core section 7.3)",
                id.chars().count()
            ));
        }
        let expires_in = answer.get("expires_in").and_then(Value::as_u64);
        let expires_in = expires_in
            .filter(|seconds| *seconds > 0)
            .ok_or("expires_in is not a positive integer in the answer (CIBA Core section 7.3)")?;
        Ok(Self {
            auth_req_id: Zeroizing::new(id.to_owned()),
            expires_in: Duration::from_secs(expires_in.min(MAX_EXPIRES_IN)),
            interval: interval_of(body),
        })
    }
}

/// `interval` of a response, in whole seconds.
pub(super) fn interval_of(body: &[u8]) -> Option<Duration> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    answer.get("interval")?.as_u64().map(Duration::from_secs)
}

privyseal_core::opaque_debug! { [] Acknowledgement: expires_in, interval; }

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> UnixTime {
        UnixTime::from_secs(1_800_000_000).unwrap()
    }

    fn meaning(status: u16, retry_after: Option<&str>, body: &str) -> PollOutcome {
        let response = Response {
            status,
            retry_after: retry_after.and_then(crate::http::RetryAfter::parse),
            location: None,
            media_type: None,
            challenge: None,
            max_age: None,
            date: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        PollOutcome::of(&response, now())
    }

    #[test]
    fn every_code_of_the_token_endpoint() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (status, retry_after, error, expected) in [
            (400, None, "authorization_pending", PollOutcome::Pending),
            (400, None, "slow_down", PollOutcome::SlowDown(None)),
            (
                400,
                Some("9"),
                "slow_down",
                PollOutcome::SlowDown(seconds(9)),
            ),
            (
                429,
                Some("Fri, 15 Jan 2027 08:00:30 GMT"),
                "x",
                PollOutcome::SlowDown(seconds(30)),
            ),
            (
                429,
                Some("Fri, 15 Jan 2027 07:00:30 GMT"),
                "x",
                PollOutcome::SlowDown(None),
            ),
            (400, None, "expired_token", PollOutcome::Refused),
            (403, None, "access_denied", PollOutcome::Refused),
            (400, None, "invalid_grant", PollOutcome::Refused),
            (500, None, "server_error", PollOutcome::Trouble(None)),
            (408, None, "x", PollOutcome::Trouble(None)),
            (503, Some("30"), "x", PollOutcome::Trouble(seconds(30))),
            (200, None, "access_denied", PollOutcome::Refused),
        ] {
            let body = format!(r#"{{"error":"{error}"}}"#);
            assert_eq!(meaning(status, retry_after, &body), expected, "{error}");
        }
        assert_eq!(meaning(200, None, "{}"), PollOutcome::Success);
        assert_eq!(meaning(302, None, ""), PollOutcome::Refused);
        assert_eq!(meaning(503, None, "<html>"), PollOutcome::Trouble(None));
    }

    #[test]
    fn itsmes_acknowledgement() {
        let body = br#"{"auth_req_id":"1c266114-a1be-4252","expires_in":120,"interval":2}"#;
        let read = Acknowledgement::read(body).unwrap();
        assert_eq!(read.auth_req_id.as_str(), "1c266114-a1be-4252");
        assert_eq!(read.expires_in, Duration::from_secs(120));
        assert_eq!(read.interval, Some(Duration::from_secs(2)));
        assert!(!format!("{read:?}").contains("1c266114"));
        let body = br#"{"auth_req_id":"a","expires_in":99999999999}"#;
        let read = Acknowledgement::read(body).unwrap();
        assert_eq!(read.expires_in, Duration::from_secs(MAX_EXPIRES_IN));
        assert_eq!(read.interval, None);
    }

    #[test]
    fn the_longest_auth_req_id_and_one_more() {
        let read = |len| {
            let id = "x".repeat(len);
            let body = format!(r#"{{"auth_req_id":"{id}","expires_in":1}}"#);
            Acknowledgement::read(body.as_bytes())
        };
        assert!(read(MAX_AUTH_REQ_ID).is_ok());
        let error = read(MAX_AUTH_REQ_ID + 1).unwrap_err();
        assert!(error.contains("has 4097 characters"), "{error}");
    }

    #[test]
    fn what_is_no_acknowledgement() {
        for (body, words) in [
            ("[", "not JSON"),
            (r#"{"expires_in":1}"#, "auth_req_id is missing"),
            (
                r#"{"auth_req_id":"a b","expires_in":1}"#,
                "auth_req_id has 3 characters",
            ),
            (r#"{"auth_req_id":"a"}"#, "expires_in"),
            (r#"{"auth_req_id":"a","expires_in":0}"#, "expires_in"),
            (r#"{"auth_req_id":"a","expires_in":"120"}"#, "expires_in"),
        ] {
            let error = Acknowledgement::read(body.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
