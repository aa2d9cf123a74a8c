//! How long a device may take.

use core::time::Duration;

use crate::exchange::Asked;

/// How long the device may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// For what it knows, for each frame of the answer.
    pub answer: Duration,
    /// For what it must write into its flash first, erasing what was there.
    pub flash: Duration,
    /// For a signature. What a person has for the button comes on top.
    pub signature: Duration,
    /// For a key that it makes: the largest size, without the part's crystal.
    pub generation: Duration,
    /// On top of these for each kibibyte that the whole answer may have, however it comes in frames. A serial line
    /// has at least twice what its speed needs.
    pub kibibyte: Duration,
    /// For what passes by itself: another program that has the line, and the rate limit.
    pub wait: Duration,
}

impl Limits {
    /// With time enough for a line of that speed: a byte takes ten bits.
    pub(super) fn at(self, baud: u32) -> Self {
        let needed = Duration::from_secs(2 * 1024 * 10) / baud.max(1);
        Self {
            kibibyte: self.kibibyte.max(needed),
            ..self
        }
    }

    /// The same, with so long for what passes by itself.
    #[must_use]
    pub const fn waiting(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// A request whose answer has at most `bytes`, each frame of it within `limit`.
    pub(super) fn of(self, what: &'static str, limit: Duration, bytes: usize) -> Asked {
        let kibibytes = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        Asked {
            what,
            limit,
            whole: limit + self.kibibyte * kibibytes,
            wait: self.wait,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(5),
            flash: Duration::from_secs(60),
            signature: Duration::from_secs(20),
            generation: Duration::from_secs(30 * 60),
            // As a bridge with 9600 baud behind it.
            kibibyte: Duration::from_secs(2),
            wait: Duration::ZERO,
        }
    }
}
