//! How long a device may take.

use core::time::Duration;

use privyseal_hsm::options;

use crate::exchange::Asked;

options! {
    /// How long the device may take.
    pub struct Limits {
        /// For what it knows, for each frame of the answer.
        answer: Duration = Duration::from_secs(5),
        /// For what it must write into its flash first, erasing what was there.
        flash: Duration = Duration::from_secs(60),
        /// For a signature, or a content key. What a person has for the button comes on top.
        signature: Duration = Duration::from_secs(20),
        /// For a key that it makes: the largest size, without the part's crystal.
        generation: Duration = Duration::from_secs(30 * 60),
        /// On top of these for each kibibyte that the whole answer may have, however it comes in frames. A serial line
        /// has at least twice what its speed needs.
        kibibyte: Duration = Duration::from_secs(2),
        /// For what passes by itself: another program that has the line, and the rate limit.
        wait: Duration = Duration::ZERO,
    }
}

impl Limits {
    /// With time enough for a line of that speed: a byte takes ten bits.
    pub(super) fn at(self, baud: u32) -> Self {
        let needed = Duration::from_secs(2 * 1024 * 10) / baud.max(1);
        self.kibibyte(self.kibibyte.max(needed))
    }

    /// For what is done with the key, once a person has pressed the button.
    pub(super) fn with_key(self, presence: Option<u8>) -> Duration {
        self.signature + Duration::from_secs(presence.unwrap_or(0).into())
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
