//! The `Date` of an answer.

use privyseal_core::UnixTime;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads an IMF-fixdate, as in `Sun, 06 Nov 1994 08:49:37 GMT`: the only form that senders may use (RFC
/// 9110 section 5.6.7).
pub fn parse(text: &str) -> Option<UnixTime> {
    let (name, rest) = text.trim().split_once(", ")?;
    if !DAYS.contains(&name) {
        return None;
    }
    let mut words = rest.split(' ');
    let day = number(words.next()?, 2)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year = number(words.next()?, 4)?;
    let mut clock = words.next()?.split(':').map(|part| number(part, 2));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let fits = (1..=31).contains(&day) && year >= 1970 && hour < 24 && minute < 60 && second < 61;
    if !fits || clock.next().is_some() || words.next() != Some("GMT") || words.next().is_some() {
        return None;
    }
    let days = days_before(year, u64::try_from(month).ok()?) + day - 1;
    UnixTime::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second).ok()
}

/// Days from 1970 to the first of a month, counted from 0, in the Gregorian calendar.
fn days_before(year: u64, month: u64) -> u64 {
    // A year that begins in March has its odd day at its end.
    let (year, month) = if month < 2 {
        (year - 1, month + 10)
    } else {
        (year, month - 2)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719,468 days lie between March of the year 0 and 1970.
    365 * year + leap_days + (153 * month + 2) / 5 - 719_468
}

fn number(text: &str, digits: usize) -> Option<u64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
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
            ("Fri, 31 Dec 2100 23:59:60 GMT", 4_133_980_800),
        ] {
            assert_eq!(parse(text).map(UnixTime::as_secs), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "784111777",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "s3cr3t, 06 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
