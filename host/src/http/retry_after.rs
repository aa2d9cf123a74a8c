//! When a server wants to see the next request.

use core::fmt;

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
        let date = "Fri, 31 Dec 1999 23:59:59 GMT";
        assert_eq!(
            RetryAfter::parse(date),
            Some(RetryAfter::Date(date.to_owned()))
        );
        for bad in ["", "-1", "soon", "<b>GMT", "1.5"] {
            assert_eq!(RetryAfter::parse(bad), None, "{bad:?}");
        }
    }
}
