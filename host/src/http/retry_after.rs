//! When a server wants to see the next request.

use core::fmt;

use privyseal_core::UnixTime;

use super::date;

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a moment as the server wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this many seconds.
    Seconds(u64),
    /// At this moment, an HTTP date as [`date::parse`] reads it.
    Date(String),
}

/// The most seconds: a year. More of them say no more, and could be something else that was sent.
const MAX_SECONDS: u64 = 366 * 24 * 60 * 60;

impl RetryAfter {
    /// Reads the header's value. What is neither a number nor a date is as good as absent: it would be shown,
    /// and may be anything.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = value.parse().unwrap_or(u64::MAX);
            return Some(Self::Seconds(seconds.min(MAX_SECONDS)));
        }
        date::parse(value).map(|_| Self::Date(value.to_owned()))
    }

    /// In seconds, if it is a moment and `date` is the time of the same clock: that of the answer.
    #[must_use]
    pub fn counted_from(self, date: Option<UnixTime>) -> Self {
        let Self::Date(text) = &self else {
            return self;
        };
        match (date::parse(text), date) {
            (Some(then), Some(now)) => Self::Seconds(then.as_secs().saturating_sub(now.as_secs())),
            _ => self,
        }
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "in {seconds} s"),
            Self::Date(date) => write!(f, "at {date}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_nothing_else() {
        assert_eq!(RetryAfter::parse("120"), Some(RetryAfter::Seconds(120)));
        let text = "Fri, 31 Dec 1999 23:59:59 GMT";
        assert_eq!(
            RetryAfter::parse(text),
            Some(RetryAfter::Date(text.to_owned()))
        );
        let now = date::parse("Fri, 31 Dec 1999 23:59:30 GMT");
        let later = RetryAfter::parse(text).unwrap();
        assert_eq!(later.clone().counted_from(None), later);
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
