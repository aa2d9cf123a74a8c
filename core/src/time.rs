//! Moments in seconds since the epoch. The core never reads a clock: every `now` is passed in.

use core::fmt;

use crate::field::{Field, FieldError, check_range};
use crate::limits::MAX_UNIX_TIME;

/// Whole seconds since 1970-01-01T00:00:00Z, ignoring leap seconds: RFC 7519's `NumericDate`, as an
/// integer (iSHARE and FIAM: "in seconds, NOT milliseconds"). At most the end of the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The last moment that can be named.
    pub const MAX: Self = Self(MAX_UNIX_TIME);

    /// `seconds` since the epoch. Milliseconds given by mistake are out of range from 1978 on.
    ///
    /// # Errors
    /// [`Fault::OutOfRange`](crate::field::Fault::OutOfRange) beyond [`UnixTime::MAX`].
    pub const fn from_secs(seconds: u64) -> Result<Self, FieldError> {
        const SOURCE: &str = "RFC 7519 section 2, NumericDate: seconds, not milliseconds";
        match check_range(Field::Now, seconds, (0, MAX_UNIX_TIME), SOURCE) {
            Ok(()) => Ok(Self(seconds)),
            Err(error) => Err(error),
        }
    }

    /// Seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// `seconds` later, at most [`UnixTime::MAX`].
    #[must_use]
    pub const fn saturating_add(self, seconds: u64) -> Self {
        let sum = self.0.saturating_add(seconds);
        Self(if sum > MAX_UNIX_TIME {
            MAX_UNIX_TIME
        } else {
            sum
        })
    }

    /// `seconds` earlier, at least the epoch.
    #[must_use]
    pub const fn saturating_sub(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }
}

/// RFC 3339, in UTC: `2026-11-22T04:46:00Z`.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match der::DateTime::from_unix_duration(core::time::Duration::from_secs(self.0)) {
            Ok(moment) => moment.fmt(f),
            Err(_) => write!(f, "{} s after the epoch", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn the_bounds_hold() {
        assert_eq!(UnixTime::from_secs(MAX_UNIX_TIME), Ok(UnixTime::MAX));
        let error = UnixTime::from_secs(MAX_UNIX_TIME + 1).unwrap_err();
        assert_eq!(error.field, Field::Now);
        assert!(
            UnixTime::from_secs(1_730_094_300_000).is_err(),
            "milliseconds"
        );
        assert_eq!(UnixTime::MAX.saturating_add(1), UnixTime::MAX);
    }

    #[test]
    fn shown_as_rfc3339() {
        assert_eq!(
            UnixTime::from_secs(0).unwrap().to_string(),
            "1970-01-01T00:00:00Z"
        );
        assert_eq!(UnixTime::MAX.to_string(), "9999-12-31T23:59:59Z");
    }
}
