//! When a server wants to see the next request.

use core::fmt;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use privyseal_core::UnixTime;

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// After this many seconds.
    Seconds(u64),
    /// At this moment of the server's clock.
    Date(UnixTime),
}

/// The most seconds: a year. More of them say no more, and could be something else that was sent.
const MAX_SECONDS: u64 = 366 * 24 * 60 * 60;

impl RetryAfter {
    /// Reads the header's value. What is neither a number nor a date is as good as absent.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = value.parse().unwrap_or(u64::MAX);
            return Some(Self::Seconds(seconds.min(MAX_SECONDS)));
        }
        date(value).map(Self::Date)
    }

    /// In seconds, if `date` is the time of the same clock: that of the response.
    #[must_use]
    pub(super) fn counted_from(self, date: Option<UnixTime>) -> Self {
        date.map_or(self, |now| Self::Seconds(self.pause(now).as_secs()))
    }

    /// How long that is from `now`; none if the moment is over.
    pub const fn pause(self, now: UnixTime) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds(seconds) => seconds,
            Self::Date(then) => then.as_secs().saturating_sub(now.as_secs()),
        })
    }
}

/// Reads the `Date` of a response (RFC 9110 section 5.6.7).
pub(super) fn date(text: &str) -> Option<UnixTime> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    let since_epoch = date.duration_since(UNIX_EPOCH).ok()?;
    UnixTime::from_secs(since_epoch.as_secs()).ok()
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "in {seconds} s"),
            Self::Date(date) => {
                let date: SystemTime = UNIX_EPOCH + Duration::from_secs(date.as_secs());
                write!(f, "at {}", httpdate::HttpDate::from(date))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
        ] {
            assert_eq!(date(text).map(UnixTime::as_secs), Some(seconds), "{text}");
        }
        for text in [
            "",
            "784111777",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "s3cr3t, 06 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn both_forms_and_nothing_else() {
        assert_eq!(RetryAfter::parse("120"), Some(RetryAfter::Seconds(120)));
        let text = "Fri, 31 Dec 1999 23:59:59 GMT";
        let later = RetryAfter::parse(text).unwrap();
        assert_eq!(later.to_string(), format!("at {text}"));
        let now = date("Fri, 31 Dec 1999 23:59:30 GMT");
        assert_eq!(later.counted_from(None), later);
        assert_eq!(later.counted_from(now), RetryAfter::Seconds(29));
        assert_eq!(
            RetryAfter::Seconds(5).counted_from(now),
            RetryAfter::Seconds(5)
        );
        for long in ["99999999", "12345678901234567890123456789012"] {
            let year = Some(RetryAfter::Seconds(MAX_SECONDS));
            assert_eq!(RetryAfter::parse(long), year, "{long:?}");
        }
        for bad in [
            "",
            "-1",
            "+1",
            "soon",
            "<b>GMT",
            "1.5",
            "7dbc8bfb0123456789abcdef01234567GMT",
            "7dbc8bfb, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(RetryAfter::parse(bad), None, "{bad:?}");
        }
    }
}
