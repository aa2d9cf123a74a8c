//! What a measurement printed, kept for its plot: each line `what: TIME`, as Rust writes times.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::{paths, pictures};

/// Runs it; with `keep`, what it measured becomes the plot `bench-NAME` of the documents, with this machine and today.
pub(super) fn measured(run: Run, name: &str, title: &str, keep: bool) -> Result<(), Failure> {
    let mut rows = Vec::new();
    run.tee(|line| rows.extend(row(line)))?;
    if !keep {
        return Ok(());
    }
    let today = Run::new("date").words("-u +%F").capture()?.text();
    let mut text = format!("title {title}\nnote {}, {}\n", machine(), today.trim());
    for (time, what) in rows {
        let _ = writeln!(text, "{} {what}", time.as_nanos());
    }
    let path = paths::root().join(format!("docs/pictures/bench-{name}.txt"));
    fs::write(&path, text).context(paths::shown(&path))?;
    pictures::run()
}

/// `what: 12.3µs`, and whatever comes after a comma or a space.
fn row(line: &str) -> Option<(Duration, String)> {
    let (what, rest) = line.rsplit_once(": ")?;
    let text = rest.split([' ', ',']).next()?;
    let number = text.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = match text.strip_prefix(number)? {
        "ns" => 1e-9,
        "µs" | "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * unit;
    let time = Duration::try_from_secs_f64(seconds).ok()?;
    Some((time, what.trim().to_owned()))
}

fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor without a name", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} threads")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_time_is_a_row() {
        let read = |line| row(line).map(|(time, what)| (time.as_nanos(), what));
        assert_eq!(
            read("one, over 5 bytes: 15.75µs"),
            Some((15_750, "one, over 5 bytes".to_owned()))
        );
        assert_eq!(
            read("known, 1 thread(s): 20ms, 1.27 of ring's"),
            Some((20_000_000, "known, 1 thread(s)".to_owned()))
        );
        for line in ["==> accepting", "count: 400", "a: b", "x: 1.2.3ms", ""] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
