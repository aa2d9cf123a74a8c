//! Spans of time in words.

use privyseal_core::UnixTime;

/// How far `moment` is from `now`: `in 30 s`, `12 days ago`.
pub(super) fn distance(moment: UnixTime, now: UnixTime) -> String {
    let (moment, now) = (moment.as_secs(), now.as_secs());
    match (moment.saturating_sub(now), now.saturating_sub(moment)) {
        (0, 0) => "now".to_owned(),
        (0, ago) => format!("{} ago", span(ago)),
        (ahead, _) => format!("in {}", span(ahead)),
    }
}

/// What is left until `end`.
pub(super) fn left(end: UnixTime, now: UnixTime) -> String {
    let (end, now) = (end.as_secs(), now.as_secs());
    match end.saturating_sub(now) {
        0 => format!("ended {} ago", span(now.saturating_sub(end))),
        left => format!("{} left", span(left)),
    }
}

/// Two digits or more, in the largest unit that has them; whole units that have passed.
fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (2 * 31_556_952, "years"),
        (2 * 86_400, "days"),
        (2 * 3_600, "h"),
        (2 * 60, "min"),
    ];
    let unit = UNITS.iter().find(|(twice, _)| seconds >= *twice);
    unit.map_or_else(
        || format!("{seconds} s"),
        |(twice, name)| format!("{} {name}", seconds / (twice / 2)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_unit_that_there_are_two_of() {
        for (seconds, words) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_800, "2 days"),
            (63_113_904, "2 years"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }

    #[test]
    fn before_now_and_after() {
        let at = |seconds| UnixTime::from_secs(seconds).unwrap();
        assert_eq!(distance(at(30), at(0)), "in 30 s");
        assert_eq!(distance(at(0), at(30)), "30 s ago");
        assert_eq!(distance(at(0), at(0)), "now");
        assert_eq!(left(at(30), at(0)), "30 s left");
        assert_eq!(left(at(0), at(30)), "ended 30 s ago");
        assert_eq!(left(at(0), at(0)), "ended 0 s ago");
    }
}
