//! Whether an assertion may be made at this time.

use super::chain::Validity;
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

/// Checks the caller's clock against this release and against the certificates, if there are any.
pub(crate) fn check_clock(now: UnixTime, validity: Option<&Validity>) -> Result<(), ClockError> {
    if now.as_secs() < CLOCK_FLOOR {
        return Err(ClockError::Unset { now });
    }
    let Some(&Validity {
        not_before,
        last_to_begin,
        not_after,
        first_to_end,
    }) = validity
    else {
        return Ok(());
    };
    if now < not_before {
        return Err(ClockError::NotYetValid {
            now,
            not_before,
            position: last_to_begin,
        });
    }
    if now > not_after {
        return Err(ClockError::Expired {
            now,
            not_after,
            position: first_to_end,
        });
    }
    Ok(())
}
