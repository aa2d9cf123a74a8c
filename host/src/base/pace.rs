//! Time and chance, as a seam: what waits and what expires is tested without waiting.

use core::time::Duration;
use std::time::Instant;

use privyseal_core::UnixTime;

use crate::error::Error;
use crate::{base::clock, base::entropy};

/// What keeps the time, waits, and throws the dice.
pub trait Pace {
    /// The time of the clock, by which tokens expire.
    fn now(&mut self) -> Result<UnixTime, Error>;

    /// Time since some fixed moment. It only ever grows, also when the clock is set.
    fn elapsed(&mut self) -> Duration;

    /// Waits.
    fn pause(&mut self, duration: Duration);

    /// A random number, each as likely as any other.
    fn random(&mut self) -> Result<u64, Error>;
}

/// This machine's.
#[derive(Clone, Copy, Debug)]
pub struct SystemPace {
    start: Instant,
}

impl Default for SystemPace {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Pace for SystemPace {
    fn now(&mut self) -> Result<UnixTime, Error> {
        clock::now()
    }

    fn elapsed(&mut self) -> Duration {
        self.start.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn random(&mut self) -> Result<u64, Error> {
        entropy::number()
    }
}
