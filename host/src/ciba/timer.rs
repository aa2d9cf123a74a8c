//! The clocks of a flow, its sleep and its dice: one seam, so that tests neither wait nor depend on the date
//! or on chance.

use core::time::Duration;
use std::time::Instant;

use privyseal_core::UnixTime;

use crate::error::Error;
use crate::{clock, entropy};

/// Two clocks, a sleep, and dice.
pub trait Timer {
    /// Time since some start. It only goes forward, whatever becomes of the date.
    fn elapsed(&self) -> Duration;

    /// The date.
    fn date(&self) -> Result<UnixTime, Error>;

    /// Does nothing for so long.
    fn sleep(&mut self, duration: Duration);

    /// A random number, each as likely as any other.
    fn random(&mut self) -> Result<u64, Error>;
}

/// The machine's.
#[derive(Clone, Copy, Debug)]
pub struct SystemTimer(Instant);

impl SystemTimer {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Timer for SystemTimer {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn date(&self) -> Result<UnixTime, Error> {
        clock::now()
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn random(&mut self) -> Result<u64, Error> {
        entropy::number()
    }
}
