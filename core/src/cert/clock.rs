//! Whether an assertion may be made at this time.

use crate::limits::CLOCK_FLOOR;
use crate::time::UnixTime;
use thiserror::Error;

/// Why no assertion can be made at this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClockError {
    /// The clock shows a time before this software was released: it was never set.
    #[error("now is {now}, which is before this software was released: the clock was never set")]
    Unset {
        /// What it shows.
        now: UnixTime,
    },
    /// A certificate is not valid yet; for a leaf that was just issued, the clock is slow.
    #[error(
        "now is {now}, but certificate {position} (0 is the leaf) is valid from {not_before} \
                 only: the clock is slow, or the certificate is for later (RFC 5280 section 4.1.2.5)"
    )]
    NotYetValid {
        /// What the clock shows.
        now: UnixTime,
        /// The first second of the certificate's validity.
        not_before: UnixTime,
        /// Which certificate; 0 is the leaf.
        position: usize,
    },
    /// A certificate has expired.
    #[error(
        "now is {now}, but certificate {position} (0 is the leaf) expired at {not_after} \
                 (RFC 5280 section 4.1.2.5)"
    )]
    Expired {
        /// What the clock shows.
        now: UnixTime,
        /// The last second of the certificate's validity.
        not_after: UnixTime,
        /// Which certificate; 0 is the leaf.
        position: usize,
    },
}

/// Checks that the caller's clock was ever set.
pub(crate) const fn check_clock_is_set(now: UnixTime) -> Result<(), ClockError> {
    if now.as_secs() < CLOCK_FLOOR {
        return Err(ClockError::Unset { now });
    }
    Ok(())
}
