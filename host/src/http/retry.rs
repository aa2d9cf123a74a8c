//! Trying again where that is safe, and only there.
//!
//! Safe is what the server has not begun: no connection came about, or it answered that it is busy (429,
//! 503). Anything else is not tried again by itself: an assertion that was refused will be refused again, and
//! after a connection that broke off nobody knows what the server did with a token that is good once. Each
//! try makes a new assertion, since a `jti` is good once.
//!
//! What is only read ([`Http::retry_idempotent`](super::Http::retry_idempotent)) may be read twice (RFC 9110 section 9.2.2), so there a connection that
//! broke off is no reason to stop either.
//!
//! Pauses are random between nothing and a bound that doubles ("full jitter"), so that many clients of a
//! server that comes back do not come back together.

use core::time::Duration;

use super::{HttpCause, HttpError, RetryAfter};
use crate::base::BaseError;
use crate::base::events;
use crate::base::runtime::Runtime;

privyseal_hsm::options! {
    /// How often and for how long: by default four tries within a minute, half a second between the first two at most.
    pub struct RetryPolicy {
        /// Tries in all; 1 is for no second one.
        tries: u32 = 4,
        /// The bound of the first pause; each further one has twice that of the one before.
        first_pause: Duration = Duration::from_millis(500),
        /// The longest single pause, also where the server asks for a longer one.
        longest_pause: Duration = Duration::from_secs(20),
        /// No try begins later than this after the first.
        total: Duration = Duration::from_secs(60),
    }
}

impl RetryPolicy {
    /// One try.
    pub const NEVER: Self = Self {
        tries: 1,
        first_pause: Duration::ZERO,
        longest_pause: Duration::ZERO,
        total: Duration::ZERO,
    };
}

/// Why there is no further try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GaveUp {
    /// That was the last one.
    #[error("given up after {tries} tries")]
    Tries {
        /// How many there were.
        tries: u32,
    },
    /// The server asks for a longer pause than is made.
    #[error(
        "given up: the server asks to wait {} s, at most {} s are waited",
        .asked.as_secs(),
        .longest.as_secs()
    )]
    AskedTooLong {
        /// What it asks for.
        asked: Duration,
        /// The longest pause.
        longest: Duration,
    },
    /// The pause would end too late.
    #[error(
        "given up after {tries} tries: a further one would begin later than {} s after the first",
        .total.as_secs()
    )]
    Total {
        /// How many tries there were.
        tries: u32,
        /// The time for all of them.
        total: Duration,
    },
}

/// What a failed try did at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailedTry {
    /// Nothing: no connection came about, or the server was busy and may have said when to come back.
    NotBegun {
        /// When the server wants to see the next request.
        retry_after: Option<RetryAfter>,
    },
    /// The connection broke off: nobody knows.
    BrokeOff,
    /// No answer came in time, or the server failed (500, 502, 504): nobody knows, and a further try may take as long.
    TimedOut,
    /// The server decided, or the trouble is elsewhere: another try cannot help.
    Final,
}

/// An error that can tell whether another try is safe.
pub trait Retryable: From<BaseError> {
    /// What the try did.
    fn failed_try(&self) -> FailedTry;

    /// The same error, as that of the last of several tries.
    #[must_use]
    fn given_up(self, why: GaveUp) -> Self;
}

impl HttpError {
    /// What the try did at the server.
    pub fn failed_try(&self) -> FailedTry {
        if matches!(self.cause(), HttpCause::ProxyVariable(_)) {
            FailedTry::Final
        } else if !self.was_sent() {
            FailedTry::NotBegun { retry_after: None }
        } else {
            match self.cause() {
                HttpCause::Connection => FailedTry::BrokeOff,
                HttpCause::Timeout => FailedTry::TimedOut,
                _ => FailedTry::Final,
            }
        }
    }
}

/// Does `attempt`, and again as `policy` allows where the server has not begun with it. An error after the
/// first is that of the last try, with why it was the last.
///
/// # Errors
///
/// That of the last try, or that of the clock or the randomness of `runtime`.
pub fn retry<T, E: Retryable>(
    policy: &RetryPolicy,
    runtime: &mut impl Runtime,
    attempt: impl FnMut(&mut dyn Runtime) -> Result<T, E>,
) -> Result<T, E> {
    retry_while(policy, runtime, attempt, |failed| {
        matches!(failed, FailedTry::NotBegun { .. })
    })
}

/// As [`Http::retry_idempotent`](super::Http::retry_idempotent), also where no answer came in time or the server failed.
pub(crate) fn retry_slow<T, E: Retryable>(
    policy: &RetryPolicy,
    runtime: &mut impl Runtime,
    attempt: impl FnMut(&mut dyn Runtime) -> Result<T, E>,
) -> Result<T, E> {
    retry_while(policy, runtime, attempt, |failed| {
        failed != FailedTry::Final
    })
}

/// As [`retry`], where `is_safe` says so of the last try.
pub(super) fn retry_while<T, E: Retryable>(
    policy: &RetryPolicy,
    runtime: &mut dyn Runtime,
    mut attempt: impl FnMut(&mut dyn Runtime) -> Result<T, E>,
    is_safe: impl Fn(FailedTry) -> bool,
) -> Result<T, E> {
    let start = runtime.elapsed();
    let mut tries = 0;
    loop {
        let error = match attempt(runtime) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        tries += 1;
        let failed = error.failed_try();
        if policy.tries <= 1 || !is_safe(failed) {
            return Err(error);
        }
        let asked = match failed {
            // `Retry-After` is a date and the response had no `Date`: it is measured with this machine's clock.
            FailedTry::NotBegun {
                retry_after: Some(retry_after),
            } => retry_after.pause(runtime.now()?),
            _ => Duration::ZERO,
        };
        if asked > policy.longest_pause {
            let longest = policy.longest_pause;
            return Err(error.given_up(GaveUp::AskedTooLong { asked, longest }));
        }
        if tries >= policy.tries {
            return Err(error.given_up(GaveUp::Tries { tries }));
        }
        let pause = asked.saturating_add(jitter(bound(policy, tries), runtime.random()?));
        let spent = runtime.elapsed().saturating_sub(start);
        if spent.saturating_add(pause) > policy.total {
            let total = policy.total;
            return Err(error.given_up(GaveUp::Total { tries, total }));
        }
        events::info!(tries, ?pause, "a request is tried again");
        runtime.pause(pause);
    }
}

/// The bound of the pause after that many tries.
fn bound(policy: &RetryPolicy, tries: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
    let bound = policy.first_pause.saturating_mul(doubled);
    bound.min(policy.longest_pause)
}

/// From nothing to `bound`, in milliseconds, as `random` has it.
pub(crate) fn jitter(bound: Duration, random: u64) -> Duration {
    let bound = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % bound.saturating_add(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_at_most_its_bound_which_doubles() {
        for (tries, bound_ms) in [
            (1, 500),
            (2, 1000),
            (3, 2000),
            (7, 20_000),
            (u32::MAX, 20_000),
        ] {
            let bound = bound(&RetryPolicy::default(), tries);
            assert_eq!(bound, Duration::from_millis(bound_ms));
            assert!((0..5000).all(|random| jitter(bound, random * 7919) <= bound));
            assert_eq!(
                jitter(bound, bound_ms),
                bound,
                "the bound itself is reached"
            );
            assert_eq!(jitter(bound, bound_ms + 1), Duration::ZERO);
        }
    }
}
