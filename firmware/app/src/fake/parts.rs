//! The small parts of the board.

use core::cell::Cell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::vec::Vec;

use embedded_io::{Read, ReadReady, Write};
use rand_core::utils::next_word_via_fill;
use rand_core::{TryCryptoRng, TryRng};

/// A button that shows a script, one look after the other, and then its last state for ever.
#[derive(Clone, Debug, Default)]
pub struct Button {
    script: VecDeque<bool>,
    pressed: bool,
}

impl Button {
    /// Shows these: `true` is pressed.
    pub fn new(script: &[bool]) -> Self {
        Self {
            script: script.iter().copied().collect(),
            pressed: false,
        }
    }

    pub(super) fn look(&mut self) -> bool {
        self.pressed = self.script.pop_front().unwrap_or(self.pressed);
        self.pressed
    }
}

/// What a pulse on the supply does to a read of the flash.
#[derive(Clone, Debug, Default)]
pub struct Misread {
    /// Of what begins there among the secrets.
    pub offset: u32,
    /// Not the first reads of it, but the one after so many.
    pub after: Cell<u32>,
    /// What is read.
    pub instead: Vec<u8>,
}

impl Misread {
    pub(super) fn happens(&self, offset: u32) -> bool {
        if offset != self.offset {
            return false;
        }
        let left = self.after.get().checked_sub(1);
        self.after.set(left.unwrap_or(u32::MAX));
        left.is_none()
    }
}

/// The board's clock: shared, so that a delay moves it.
#[derive(Clone, Debug)]
pub enum Time {
    /// Stands still but for delays and [`Time::advance`]; milliseconds.
    Manual(Arc<AtomicU64>),
    /// Runs.
    Real(Instant),
}

impl Time {
    /// A clock at zero that stands still.
    pub fn manual() -> Self {
        Self::Manual(Arc::default())
    }

    /// A clock that runs from now on.
    pub fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// Milliseconds since the board started.
    pub fn millis(&self) -> u64 {
        match self {
            Self::Manual(millis) => millis.load(Ordering::SeqCst),
            Self::Real(start) => u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Moves a clock that stands still.
    pub fn advance(&self, millis: u64) {
        match self {
            Self::Manual(now) => drop(now.fetch_add(millis, Ordering::SeqCst)),
            Self::Real(_) => std::thread::sleep(std::time::Duration::from_millis(millis)),
        }
    }
}

/// Random bytes that anyone can foresee; for tests that must repeat.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy(pub u64);

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}

/// A serial line with both ends in one hand.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// Bytes on their way to the device.
    pub to_device: VecDeque<u8>,
    /// Bytes that the device has sent.
    pub from_device: Vec<u8>,
}

impl embedded_io::ErrorType for Wire {
    type Error = Infallible;
}

impl Read for Wire {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let len = bytes.len().min(self.to_device.len());
        for (to, from) in bytes.iter_mut().zip(self.to_device.drain(..len)) {
            *to = from;
        }
        Ok(len)
    }
}

impl ReadReady for Wire {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.to_device.is_empty())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.from_device.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
