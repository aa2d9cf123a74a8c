//! Clock, sleep and randomness as a seam: what waits and what expires is tested without waiting.

use core::time::Duration;
use std::time::{Instant, SystemTime};

use privyseal_core::UnixTime;

use super::{BaseError, clock, entropy};

/// Clock, sleep and randomness.
pub trait Runtime {
    /// The time of the clock, by which tokens expire.
    ///
    /// # Errors
    ///
    /// As [`clock::now`].
    fn now(&mut self) -> Result<UnixTime, BaseError>;

    /// Time since some fixed moment: 1970, as the clock was at first, where that is of use to other processes. It only ever
    /// grows, also when the clock is set.
    fn elapsed(&mut self) -> Duration;

    /// Waits.
    fn pause(&mut self, duration: Duration);

    /// A random number from 0 to `u64::MAX`, each as likely as any other.
    ///
    /// # Errors
    ///
    /// As [`entropy::fill`].
    fn random(&mut self) -> Result<u64, BaseError>;
}

/// The runtime of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemRuntime {
    start: Instant,
    since_1970: Duration,
}

impl Default for SystemRuntime {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            since_1970: SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
        }
    }
}

impl Runtime for SystemRuntime {
    fn now(&mut self) -> Result<UnixTime, BaseError> {
        clock::now()
    }

    fn elapsed(&mut self) -> Duration {
        self.since_1970 + self.start.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn random(&mut self) -> Result<u64, BaseError> {
        let mut number = [0; 8];
        entropy::fill(&mut number)?;
        Ok(u64::from_ne_bytes(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Or another process could not go on with a flow that is stored.
    #[test]
    fn what_elapses_is_since_1970() {
        let before = clock::now().unwrap().as_secs();
        let elapsed = SystemRuntime::default().elapsed().as_secs();
        let after = clock::now().unwrap().as_secs();
        assert!((before..=after).contains(&elapsed), "{elapsed}");
    }
}
