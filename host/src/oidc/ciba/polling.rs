//! When to ask again, and when to stop asking.
//!
//! Moments are durations since some start that the caller chose; no clock is read here.

use core::time::Duration;

use privyseal_core::UnixTime;
use serde::{Deserialize, Serialize};

use crate::http::HttpCause::{Connection, HostNotFound, Timeout};
use crate::http::retry::jitter;
use crate::oauth::{Diagnosis, OAuthError};

/// Where a server names no interval (CIBA Core section 7.3; itsme says the same).
pub(super) const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// What `slow_down` adds, each time (CIBA Core section 11).
pub(super) const SLOW_DOWN: Duration = Duration::from_secs(5);

/// The longest interval that is waited. A server that asks for more is treated as silent.
pub(super) const MAX_INTERVAL: Duration = Duration::from_secs(300);

/// How far questions are apart while a ping is waited for. A ping may be lost; CIBA Core section 7.3 gives ping
/// mode an interval, too.
pub const BESIDE_PING: Duration = Duration::from_secs(30);

/// How long before the end it is asked for the last time, where its interval allows that: who confirms late is not lost.
const LAST: Duration = Duration::from_secs(2);

/// How often in a row a server may be out of reach before that is an error.
const MAX_FAILURES: u32 = 3;

/// The rhythm of one question that is asked until it is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Polling {
    /// The server's.
    interval: Duration,
    /// What `slow_down` has added to it, whatever interval the server names later.
    slowed: Duration,
    /// Not less, whatever the server's is.
    least: Duration,
    next: Duration,
    deadline: Duration,
    failures: u32,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, for so long.
    Wait(Duration),
    /// Ask.
    Ask,
    /// Nothing any more: the time is over.
    Stop,
}

impl Polling {
    /// Asks every `interval` from now on, first after one interval (CIBA Core section 10.1), for
    /// `lifetime`.
    pub(super) fn new(now: Duration, interval: Option<Duration>, lifetime: Duration) -> Self {
        let interval = bounded(interval.unwrap_or(DEFAULT_INTERVAL));
        Self {
            interval,
            slowed: Duration::ZERO,
            least: Duration::ZERO,
            next: now.saturating_add(interval),
            deadline: now.saturating_add(lifetime),
            failures: 0,
        }
    }

    /// Asks after `pause`; or shortly before the end, if that comes first and `server` allows it.
    fn ask_after(&mut self, now: Duration, pause: Duration, server: Duration) {
        let next = now.saturating_add(pause);
        let last = self.deadline.saturating_sub(LAST);
        let last = last.max(now.saturating_add(server));
        let is_last = next >= self.deadline && last < self.deadline;
        self.next = if is_last { last } else { next };
    }

    /// The same, but only every [`BESIDE_PING`] until a ping comes.
    #[must_use]
    pub(super) fn beside_ping(mut self) -> Self {
        let start = self.next.saturating_sub(self.interval());
        self.least = BESIDE_PING;
        self.ask_after(start, self.interval(), self.server());
        self
    }

    /// What is to be done at `now`.
    pub(super) fn step(&self, now: Duration) -> Step {
        if now >= self.deadline {
            Step::Stop
        } else if now >= self.next {
            Step::Ask
        } else {
            Step::Wait(self.next.min(self.deadline).saturating_sub(now))
        }
    }

    /// A ping came at `now`: it may be asked at once, and from then on at the server's interval.
    pub(super) fn pinged(&mut self, now: Duration) {
        self.least = Duration::ZERO;
        self.next = now;
    }

    /// How long the response is still waited for.
    pub(super) fn left(&self, now: Duration) -> Duration {
        self.deadline.saturating_sub(now)
    }

    /// The time between two questions.
    pub(super) fn interval(&self) -> Duration {
        self.server().max(self.least)
    }

    /// The least that the server wants.
    fn server(&self) -> Duration {
        bounded(self.interval.saturating_add(self.slowed))
    }

    /// The response is that error, which came at `now`, `came_at` by the clock. Says whether to ask again.
    pub(super) fn is_asked_again(
        &mut self,
        now: Duration,
        error: &OAuthError,
        came_at: UnixTime,
        random: u64,
    ) -> bool {
        let refusal = match error {
            OAuthError::Refused(refusal) => refusal,
            // The network and its names, not the server's certificate or its HTTP.
            OAuthError::Http(error) => {
                let passing = [HostNotFound, Timeout, Connection];
                return passing.contains(&error.cause()) && self.failed(now, None, random);
            }
            _ => return false,
        };
        let retry_after = refusal.retry_after().map(|after| after.pause(came_at));
        match refusal.diagnosis() {
            Diagnosis::Pending => {
                self.pending(now, refusal.interval().map(Duration::from_secs));
            }
            Diagnosis::SlowDown | Diagnosis::RateLimited => self.slow_down(now, retry_after),
            Diagnosis::InternalError | Diagnosis::Unavailable => {
                return self.failed(now, retry_after, random);
            }
            _ => return false,
        }
        true
    }

    /// The response came at `now`, and is that there is none yet. A new interval may come with it.
    pub(super) fn pending(&mut self, now: Duration, interval: Option<Duration>) {
        self.failures = 0;
        self.interval = interval.map_or(self.interval, bounded);
        self.ask_after(now, self.interval(), self.server());
    }

    /// The server wants to be asked less often: `slow_down`, or HTTP 429, which may say when to come back.
    /// The interval is longer from now on.
    pub(super) fn slow_down(&mut self, now: Duration, retry_after: Option<Duration>) {
        self.failures = 0;
        self.slowed = self.slowed.saturating_add(SLOW_DOWN);
        let wanted = retry_after.unwrap_or_default().max(self.server());
        self.ask_after(now, self.interval().max(wanted), wanted);
    }

    /// The server was out of reach, or in trouble, and perhaps said when to come back. Says whether to ask
    /// again. Each time is twice as far from the last (CIBA Core section 11 recommends it after a timeout),
    /// and later by up to one interval as `random` has it: clients that lost a server together do not come
    /// back together.
    pub(super) fn failed(
        &mut self,
        now: Duration,
        retry_after: Option<Duration>,
        random: u64,
    ) -> bool {
        self.failures = self.failures.saturating_add(1);
        let interval = self.interval();
        let pause = interval.saturating_mul(1 << self.failures.min(MAX_FAILURES));
        let wanted = retry_after.unwrap_or_default().max(self.server());
        let pause = pause.min(MAX_INTERVAL).max(wanted);
        self.ask_after(now, pause.saturating_add(jitter(interval, random)), wanted);
        self.failures < MAX_FAILURES
    }
}

/// An interval of nothing would be a flood.
fn bounded(interval: Duration) -> Duration {
    interval.clamp(Duration::from_secs(1), MAX_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Response;
    use crate::oauth::{Refusal, RequestKind};

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_interval_is_kept_to_the_second() {
        let mut polling = Polling::new(s(100), Some(s(2)), s(120));
        assert_eq!(polling.step(s(100)), Step::Wait(s(2)));
        assert_eq!(polling.step(s(101)), Step::Wait(s(1)));
        assert_eq!(polling.step(s(102)), Step::Ask);
        // What counts is when the response came, not when it was asked for.
        polling.pending(s(103), None);
        assert_eq!(polling.step(s(104)), Step::Wait(s(1)));
        assert_eq!(polling.step(s(105)), Step::Ask);
        polling.pending(s(105), Some(s(7)));
        assert_eq!(polling.step(s(105)), Step::Wait(s(7)));
        assert_eq!(polling.left(s(110)), s(110));
    }

    #[test]
    fn without_an_interval_it_is_five_seconds_and_never_none() {
        let at_start = |interval| Polling::new(s(0), interval, s(600)).step(s(0));
        assert_eq!(at_start(None), Step::Wait(s(5)));
        assert_eq!(at_start(Some(s(0))), Step::Wait(s(1)));
        assert_eq!(at_start(Some(s(u64::MAX))), Step::Wait(MAX_INTERVAL));
    }

    #[test]
    fn slow_down_adds_five_seconds_for_good() {
        let mut polling = Polling::new(s(0), Some(s(2)), s(600));
        polling.slow_down(s(2), None);
        assert_eq!(polling.step(s(2)), Step::Wait(s(7)));
        polling.pending(s(9), None);
        assert_eq!(polling.step(s(9)), Step::Wait(s(7)));
        polling.slow_down(s(16), None);
        assert_eq!(polling.interval(), s(12));
    }

    /// itsme's answers name the same interval each time.
    #[test]
    fn an_interval_in_a_later_answer_does_not_undo_it() {
        let mut polling = Polling::new(s(0), Some(s(1)), s(600));
        polling.slow_down(s(1), None);
        for (interval, pause) in [(1, 6), (1, 6), (3, 8), (u64::MAX, 300), (1, 6)] {
            polling.pending(s(7), Some(s(interval)));
            assert_eq!(polling.step(s(7)), Step::Wait(s(pause)), "{interval}");
        }
    }

    #[test]
    fn retry_after_counts_where_it_is_longer() {
        let mut polling = Polling::new(s(0), Some(s(2)), s(600));
        polling.slow_down(s(2), Some(s(30)));
        assert_eq!(polling.step(s(2)), Step::Wait(s(30)));
        polling.slow_down(s(32), Some(s(1)));
        assert_eq!(polling.step(s(32)), Step::Wait(s(12)));
    }

    #[test]
    fn beside_a_ping_it_is_asked_seldom() {
        let mut polling = Polling::new(s(100), Some(s(2)), s(600)).beside_ping();
        assert_eq!(polling.step(s(100)), Step::Wait(s(30)));
        polling.pending(s(130), None);
        assert_eq!(polling.step(s(130)), Step::Wait(s(30)));
        polling.pinged(s(135));
        assert_eq!(polling.step(s(135)), Step::Ask);
        polling.pending(s(135), None);
        assert_eq!(polling.step(s(135)), Step::Wait(s(2)));
        let slow = Polling::new(s(0), Some(s(45)), s(600)).beside_ping();
        assert_eq!(slow.step(s(0)), Step::Wait(s(45)));
    }

    /// Who confirms late is not lost, and the server's interval is kept.
    #[test]
    fn it_is_asked_once_more_before_the_end() {
        for (lifetime, at) in [(20, 18), (30, 28), (31, 30), (6, 5), (5, 5)] {
            let polling = Polling::new(s(0), None, s(lifetime)).beside_ping();
            assert_eq!(polling.step(s(0)), Step::Wait(s(at)), "{lifetime}");
        }
        let mut polling = Polling::new(s(0), None, s(45)).beside_ping();
        polling.pending(s(30), None);
        assert_eq!(polling.step(s(30)), Step::Wait(s(13)));
        polling.pending(s(43), None);
        assert_eq!(polling.step(s(44)), Step::Wait(s(1)), "only once");
        assert_eq!(polling.step(s(45)), Step::Stop);
        let mut polling = Polling::new(s(0), Some(s(2)), s(30));
        polling.failed(s(20), None, 0);
        polling.failed(s(24), None, 0);
        assert_eq!(polling.step(s(24)), Step::Wait(s(4)));
        polling.slow_down(s(24), Some(s(9)));
        assert_eq!(
            polling.step(s(24)),
            Step::Wait(s(6)),
            "not earlier than it said"
        );
    }

    #[test]
    fn it_ends() {
        let polling = Polling::new(s(0), Some(s(7)), s(10));
        assert_eq!(polling.step(s(7)), Step::Ask);
        assert_eq!(polling.step(s(10)), Step::Stop);
        let mut polling = Polling::new(s(0), Some(s(7)), s(10));
        polling.pending(s(7), None);
        assert_eq!(polling.step(s(8)), Step::Wait(s(2)), "not past the end");
        assert_eq!(polling.step(s(u64::MAX)), Step::Stop);
    }

    #[test]
    fn a_server_that_stays_away_is_given_up() {
        let mut polling = Polling::new(s(0), Some(s(2)), s(600));
        assert!(polling.failed(s(2), None, 0));
        assert_eq!(polling.step(s(2)), Step::Wait(s(4)));
        assert!(polling.failed(s(6), None, 0));
        assert_eq!(polling.step(s(6)), Step::Wait(s(8)));
        assert!(!polling.failed(s(14), None, 0));
        polling.pending(s(20), None);
        assert!(
            polling.failed(s(22), None, 0),
            "an answer in between forgives"
        );
    }

    #[test]
    fn a_server_in_trouble_may_say_when_to_come_back() {
        for (retry_after, random, pause) in [
            (None, 0, 4_000),
            (Some(1), 0, 4_000),
            (Some(30), 0, 30_000),
            (Some(400), 0, 400_000),
            (None, 1_999, 5_999),
            (None, 2_000, 6_000),
            (None, 2_001, 4_000),
            (Some(30), u64::MAX - 1, 30_000 + (u64::MAX - 1) % 2_001),
        ] {
            let mut polling = Polling::new(s(0), Some(s(2)), s(600));
            assert!(polling.failed(s(2), retry_after.map(s), random));
            let pause = Duration::from_millis(pause);
            assert_eq!(polling.step(s(2)), Step::Wait(pause), "{retry_after:?}");
        }
    }

    #[test]
    fn every_code_of_the_token_endpoint() {
        let url = "https://idp.example/token".parse().unwrap();
        let at = UnixTime::from_secs(1_800_000_000).unwrap();
        let asks = |status, retry_after: Option<&str>, body: &str| {
            let response = Response {
                status,
                retry_after: retry_after.and_then(crate::http::RetryAfter::parse),
                location: None,
                media_type: None,
                challenge: None,
                max_age: None,
                date: None,
                body: body.as_bytes().to_vec().into(),
            };
            let refusal = Refusal::new(&url, RequestKind::CibaTokens, &response, None);
            let mut polling = Polling::new(s(0), Some(s(2)), s(600));
            let is_asked = polling.is_asked_again(s(2), &refusal.into(), at, 0);
            is_asked.then(|| polling.step(s(2)))
        };
        let wait = |seconds| Some(Step::Wait(s(seconds)));
        for (status, retry_after, error, expected) in [
            (400, None, "authorization_pending", wait(2)),
            (400, None, "slow_down", wait(7)),
            (400, Some("9"), "slow_down", wait(9)),
            (429, Some("Fri, 15 Jan 2027 08:00:30 GMT"), "x", wait(30)),
            (429, Some("Fri, 15 Jan 2027 07:00:30 GMT"), "x", wait(7)),
            (400, None, "expired_token", None),
            (403, None, "access_denied", None),
            (400, None, "invalid_grant", None),
            (500, None, "server_error", wait(4)),
            (408, None, "x", wait(4)),
            (503, Some("30"), "x", wait(30)),
            (200, None, "access_denied", None),
        ] {
            let body = format!(r#"{{"error":"{error}"}}"#);
            assert_eq!(asks(status, retry_after, &body), expected, "{error}");
        }
        let slower = r#"{"error":"authorization_pending","interval":9}"#;
        assert_eq!(asks(400, None, slower), wait(9));
        assert_eq!(asks(302, None, ""), None);
        assert_eq!(asks(503, None, "<html>"), wait(4));
    }
}
