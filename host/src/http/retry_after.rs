//! When a server wants to see the next request.

use core::fmt;

use privyseal_core::UnixTime;

use super::date;

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a moment as the server wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this many seconds.
    Seconds(u64),
    /// At this moment, an HTTP date in the server's words.
    Date(String),
}

impl RetryAfter {
    /// Reads the header's value. What is neither a number nor like a date is as good as absent.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Self::Seconds(seconds));
        }
        let is_date = value.len() <= 40
            && value.ends_with("GMT")
            && value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b" ,:-".contains(&byte));
        is_date.then(|| Self::Date(value.to_owned()))
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
        for bad in ["", "-1", "soon", "<b>GMT", "1.5"] {
            assert_eq!(RetryAfter::parse(bad), None, "{bad:?}");
        }
    }
}
