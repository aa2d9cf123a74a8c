//! Trying again where that is safe, and only there.
//!
//! Safe is what the server has not begun: no connection came about, or it answered that it is busy (429,
//! 503). Anything else is not tried again by itself: an assertion that was refused will be refused again, and
//! after a connection that broke off nobody knows what the server did with a token that is good once. Each
//! try makes a new assertion, since a `jti` is good once.
//!
//! What is only read ([`reading`]) may be read twice (RFC 9110 section 9.2.2), so there a connection that
//! broke off is no reason to stop either.
//!
//! Pauses are random between nothing and a bound that doubles ("full jitter"), so that many clients of a
//! server that comes back do not come back together.

use core::fmt;
use core::time::Duration;

use privyseal_core::UnixTime;

use crate::base::runtime::Runtime;
use crate::error::Error;
use crate::http::{HttpCause, RetryAfter, date};

/// How often and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all; 1 is for no second one.
    pub tries: u32,
    /// The bound of the first pause; each further one has twice that of the one before.
    pub first_pause: Duration,
    /// The longest single pause, also where the server asks for a longer one.
    pub longest_pause: Duration,
    /// No try begins later than this after the first.
    pub total: Duration,
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

/// Four tries within a minute, half a second between the first two at most.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 4,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            total: Duration::from_secs(60),
        }
    }
}

/// Why there is no further try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GaveUp {
    /// That was the last one.
    Tries {
        /// How many there were.
        tries: u32,
    },
    /// The server asks for a longer pause than is made.
    AskedTooLong {
        /// What it asks for.
        asked: Duration,
        /// The longest pause.
        longest: Duration,
    },
    /// The pause would end too late.
    Total {
        /// How many tries there were.
        tries: u32,
        /// The time for all of them.
        total: Duration,
    },
}

/// Does `attempt`, and again as `policy` allows. An error after the first is that of the last try, with why
/// it was the last.
pub fn retrying<T>(
    policy: &RetryPolicy,
    runtime: &mut impl Runtime,
    mut attempt: impl FnMut(&mut dyn Runtime) -> Result<T, Error>,
) -> Result<T, Error> {
    while_safe(
        policy,
        runtime,
        itself,
        |runtime| attempt(runtime),
        was_not_begun,
    )
}

/// The same for an attempt of something that has its runtime in itself.
pub(crate) fn retrying_within<C, T>(
    policy: &RetryPolicy,
    context: &mut C,
    runtime: impl Fn(&mut C) -> &mut dyn Runtime,
    attempt: impl FnMut(&mut C) -> Result<T, Error>,
) -> Result<T, Error> {
    while_safe(policy, context, runtime, attempt, was_not_begun)
}

/// The same for an attempt that changes nothing and sends nothing that is good once.
pub fn reading<T>(
    policy: &RetryPolicy,
    runtime: &mut impl Runtime,
    mut attempt: impl FnMut(&mut dyn Runtime) -> Result<T, Error>,
) -> Result<T, Error> {
    let is_safe = |error: &Error| was_not_begun(error) || broke_off(error);
    while_safe(policy, runtime, itself, |runtime| attempt(runtime), is_safe)
}

fn itself<P: Runtime>(runtime: &mut P) -> &mut dyn Runtime {
    runtime
}

fn while_safe<C, T>(
    policy: &RetryPolicy,
    context: &mut C,
    runtime_of: impl Fn(&mut C) -> &mut dyn Runtime,
    mut attempt: impl FnMut(&mut C) -> Result<T, Error>,
    is_safe: impl Fn(&Error) -> bool,
) -> Result<T, Error> {
    let start = runtime_of(context).elapsed();
    let mut tries = 0;
    loop {
        let error = match attempt(context) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        tries += 1;
        if policy.tries <= 1 || !is_safe(&error) {
            return Err(error);
        }
        let runtime = runtime_of(context);
        let asked = asked_pause(&error, runtime.now()?);
        let give_up = |why, last| {
            let last = Box::new(last);
            Err(Error::GaveUp { why, last })
        };
        if asked > policy.longest_pause {
            let longest = policy.longest_pause;
            return give_up(GaveUp::AskedTooLong { asked, longest }, error);
        }
        if tries >= policy.tries {
            return give_up(GaveUp::Tries { tries }, error);
        }
        let jitter = jitter(bound(policy, tries), runtime.random()?);
        let pause = asked.saturating_add(jitter);
        let spent = runtime.elapsed().saturating_sub(start);
        if spent.saturating_add(pause) > policy.total {
            let total = policy.total;
            return give_up(GaveUp::Total { tries, total }, error);
        }
        runtime.pause(pause);
    }
}

fn was_not_begun(error: &Error) -> bool {
    match error {
        Error::Http(error) => !error.was_sent(),
        Error::Refused(refusal) => matches!(refusal.status(), 429 | 503),
        _ => false,
    }
}

fn broke_off(error: &Error) -> bool {
    matches!(error, Error::Http(error) if error.cause() == HttpCause::Connection)
}

/// The pause that the server asks for, which may be none.
fn asked_pause(error: &Error, now: UnixTime) -> Duration {
    let asked = match error {
        Error::Refused(refusal) => refusal.retry_after(),
        _ => None,
    };
    let seconds = match asked {
        Some(RetryAfter::Seconds(seconds)) => *seconds,
        // A server that did not say what time it is: this clock must do.
        Some(RetryAfter::Date(text)) => {
            date::parse(text).map_or(0, |then| then.as_secs().saturating_sub(now.as_secs()))
        }
        None => 0,
    };
    Duration::from_secs(seconds)
}

/// The bound of the pause after that many tries.
fn bound(policy: &RetryPolicy, tries: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
    let bound = policy.first_pause.saturating_mul(doubled);
    bound.min(policy.longest_pause)
}

/// From nothing to `bound`, in milliseconds.
fn jitter(bound: Duration, random: u64) -> Duration {
    let bound = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % bound.saturating_add(1).max(1))
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tries { tries } => write!(f, "given up after {tries} tries"),
            Self::AskedTooLong { asked, longest } => write!(
                f,
                "given up: the server asks to wait {} s, at most {} s are waited",
                asked.as_secs(),
                longest.as_secs()
            ),
            Self::Total { tries, total } => write!(
                f,
                "given up after {tries} tries: a further one would begin later than {} s after the \
                 first",
                total.as_secs()
            ),
        }
    }
}

#[cfg(test)]
mod tests;
