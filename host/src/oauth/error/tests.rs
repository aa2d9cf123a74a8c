//! What is tried again, in a world where pauses cost nothing and the random numbers are known.

use core::time::Duration;

use privyseal_core::UnixTime;
use zeroize::Zeroizing;

use super::*;
use crate::base::runtime::Runtime;
use crate::http::retry::{RetryPolicy, retry};
use crate::http::{BaseUrl, Http, HttpOptions, Response, RetryAfter};
use crate::oauth::RequestKind;

/// Where time passes by pauses only.
#[derive(Default)]
struct Played {
    elapsed: Duration,
    pauses: Vec<u64>,
    random: u64,
}

impl Runtime for Played {
    fn now(&mut self) -> Result<UnixTime, BaseError> {
        UnixTime::from_secs(1_800_000_000 + self.elapsed.as_secs()).map_err(|_| BaseError::Clock)
    }

    fn elapsed(&mut self) -> Duration {
        self.elapsed
    }

    fn pause(&mut self, duration: Duration) {
        self.elapsed += duration;
        self.pauses
            .push(u64::try_from(duration.as_millis()).unwrap());
    }

    fn random(&mut self) -> Result<u64, BaseError> {
        Ok(self.random)
    }
}

fn refusal(status: u16, retry_after: Option<RetryAfter>) -> OAuthError {
    let base: BaseUrl = "https://as.example".parse().unwrap();
    let response = Response {
        status,
        retry_after,
        location: None,
        media_type: None,
        challenge: None,
        max_age: None,
        date: None,
        body: Zeroizing::new(Vec::new()),
    };
    Refusal::new(
        &base.join("/t").unwrap(),
        RequestKind::Token,
        &response,
        None,
    )
    .into()
}

fn busy(seconds: u64) -> OAuthError {
    refusal(429, Some(RetryAfter::Seconds(seconds)))
}

/// Nobody listens there.
fn no_connection() -> OAuthError {
    let base: BaseUrl = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("https://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap()
    };
    let url = base.join("/t").unwrap();
    let error = Http::new(&HttpOptions::default())
        .get_public(&url, 1)
        .unwrap_err();
    assert!(!error.was_sent(), "{error:?}");
    error.into()
}

/// How often it was tried, and how it ended.
fn tried(
    runtime: &mut Played,
    error: impl Fn(u32) -> Option<OAuthError>,
) -> (u32, Result<(), OAuthError>) {
    let mut tries = 0;
    let outcome = retry(&RetryPolicy::default(), runtime, |_| {
        tries += 1;
        error(tries).map_or(Ok(()), Err)
    });
    (tries, outcome)
}

#[test]
fn a_server_that_comes_back_is_asked_again_with_growing_pauses() {
    let mut runtime = Played {
        random: 250,
        ..Played::default()
    };
    let (tries, outcome) = tried(&mut runtime, |tries| (tries < 4).then(no_connection));
    assert!(outcome.is_ok());
    assert_eq!((tries, runtime.pauses), (4, vec![250, 250, 250]));
}

#[test]
fn tries_are_counted() {
    let (tries, outcome) = tried(&mut Played::default(), |_| Some(refusal(503, None)));
    let error = outcome.unwrap_err();
    assert_eq!(tries, 4);
    assert!(
        error.to_string().ends_with("(given up after 4 tries)"),
        "{error}"
    );
    assert!(core::error::Error::source(&error).is_some());
}

#[test]
fn what_the_server_asks_for_is_waited_and_a_little_more() {
    let mut runtime = Played {
        random: 400,
        ..Played::default()
    };
    let (tries, outcome) = tried(&mut runtime, |tries| (tries == 1).then(|| busy(20)));
    assert!(outcome.is_ok());
    assert_eq!((tries, runtime.pauses), (2, vec![20_400]));
}

#[test]
fn a_longer_pause_than_is_waited_is_said() {
    let mut runtime = Played::default();
    let (tries, outcome) = tried(&mut runtime, |_| Some(busy(21)));
    let text = outcome.unwrap_err().to_string();
    assert!(
        text.contains("asks to wait 21 s, at most 20 s are waited"),
        "{text}"
    );
    assert_eq!((tries, runtime.pauses.len()), (1, 0));
}

#[test]
fn all_tries_together_are_bounded_too() {
    let mut runtime = Played {
        random: 1,
        ..Played::default()
    };
    let policy = RetryPolicy {
        tries: 100,
        ..RetryPolicy::default()
    };
    let outcome = retry(&policy, &mut runtime, |_| Err::<(), _>(busy(20)));
    let text = outcome.unwrap_err().to_string();
    assert!(
        text.contains("given up after 3 tries") && text.contains("60 s"),
        "{text}"
    );
    assert!(runtime.elapsed <= Duration::from_secs(60));
}

/// Of a server that does not say what time it is.
#[test]
fn a_moment_is_counted_by_this_clock() {
    let date = RetryAfter::parse("Fri, 15 Jan 2027 08:00:10 GMT");
    let mut runtime = Played::default();
    let (tries, outcome) = tried(&mut runtime, |tries| {
        (tries == 1).then(|| refusal(503, date))
    });
    assert!(outcome.is_ok() && tries == 2);
    assert_eq!(runtime.pauses, [10_000]);
}

#[test]
fn a_moment_that_is_over_is_no_pause() {
    let date = RetryAfter::parse("Fri, 31 Dec 1999 23:59:59 GMT");
    let (tries, outcome) = tried(&mut Played::default(), |tries| {
        (tries == 1).then(|| refusal(503, date))
    });
    assert!(outcome.is_ok() && tries == 2);
}

#[test]
fn a_name_that_is_not_found_is_looked_up_again() {
    let base: BaseUrl = "https://as.invalid".parse().unwrap();
    let url = base.join("/t").unwrap();
    let mut tries = 0;
    let outcome = retry(&RetryPolicy::default(), &mut Played::default(), |_| {
        tries += 1;
        let response = Http::new(&HttpOptions::default()).post_form(&url, b"", 1);
        response.map_err(OAuthError::from)
    });
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("the host's name is not known"), "{text}");
    assert_eq!(tries, 4);
}

#[test]
fn what_is_not_safe_is_not_tried_again() {
    for status in [200, 302, 400, 401, 403, 404, 500, 502, 504] {
        let (tries, outcome) = tried(&mut Played::default(), |_| Some(refusal(status, None)));
        let error = outcome.unwrap_err();
        assert_eq!(tries, 1, "{status}");
        assert!(matches!(error, OAuthError::Refused(_)), "{error}");
    }
}

#[test]
fn never_is_one_try() {
    let mut tries = 0;
    let outcome = retry(&RetryPolicy::NEVER, &mut Played::default(), |_| {
        tries += 1;
        Err::<(), _>(busy(1))
    });
    assert!(matches!(outcome, Err(OAuthError::Refused(_))));
    assert_eq!(tries, 1);
}
