//! The clocks of a flow, and its sleep: one seam, so that tests neither wait nor depend on the date.

use core::time::Duration;
use std::time::Instant;

use privyseal_core::UnixTime;

use crate::clock;
use crate::error::Error;

/// Two clocks and a sleep.
pub trait Timer {
    /// Time since some start. It only goes forward, whatever becomes of the date.
    fn elapsed(&self) -> Duration;

    /// The date.
    fn date(&self) -> Result<UnixTime, Error>;

    /// Does nothing for so long.
    fn sleep(&mut self, duration: Duration);
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
}
