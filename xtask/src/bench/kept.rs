//! What a measurement printed, kept for its plot.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::{paths, pictures};

/// A plot of the documents in the making: `bench-NAME`.
#[derive(Debug)]
pub(super) struct Plot {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    /// How much, and of what.
    pub(super) rows: Vec<Row>,
}

pub(super) type Row = (u64, String);

impl Plot {
    pub(super) const fn new(name: &'static str, title: &'static str, unit: &'static str) -> Self {
        Self {
            name,
            title,
            unit,
            rows: Vec::new(),
        }
    }
}

/// Writes the plots, with this machine, what it does besides, and today.
pub(super) fn keep(plots: &[Plot]) -> Result<(), Failure> {
    let today = Run::new("date").words("-u +%F").capture()?.text();
    let note = format!("{}, {}", machine(), today.trim());
    for plot in plots {
        let Plot { title, unit, .. } = plot;
        let mut text = format!("title {title}\nnote {note}\nunit {unit}\n");
        for (much, what) in &plot.rows {
            let _ = writeln!(text, "{much} {what}");
        }
        let path = paths::root().join(format!("docs/pictures/bench-{}.txt", plot.name));
        fs::write(&path, text).context(paths::shown(&path))?;
    }
    pictures::run()
}

/// `what: 12.3µs`, and whatever comes after a comma or a space.
pub(super) fn time(line: &str) -> Option<Row> {
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
    Some((nanoseconds(time), what.trim().to_owned()))
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// `what  yes|no  yes|no  12.345  ..`: millions, blinded or not, checked or not.
pub(super) fn instructions(line: &str) -> Option<Row> {
    let words = line.split_whitespace().rev();
    let mut words = words.skip_while(|word| *word != "/").skip(2);
    let (millions, checked, blinded) = (words.next()?, words.next()?, words.next()?);
    let (whole, part) = millions.split_once('.')?;
    let count = format!("{whole}{part:0<6}").parse().ok()?;
    let also = |word, name| (word == "yes").then_some(name);
    let mut what: Vec<_> = words.collect();
    what.reverse();
    let also = [also(blinded, ", blinded"), also(checked, ", checked")];
    let also = also.into_iter().flatten().collect::<String>();
    Some((count, what.join(" ") + &also))
}

fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor without a name", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!("{model}, {cores} threads, load {load}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_time_is_a_row() {
        assert_eq!(
            time("one, over 5 bytes: 15.75µs"),
            Some((15_750, "one, over 5 bytes".to_owned()))
        );
        assert_eq!(
            time("known, 1 thread(s): 20ms, 1.27 of ring's"),
            Some((20_000_000, "known, 1 thread(s)".to_owned()))
        );
        for line in ["==> accepting", "count: 400", "a: b", "x: 1.2.3ms", ""] {
            assert_eq!(time(line), None, "{line}");
        }
    }

    #[test]
    fn a_line_with_instructions_is_a_row() {
        let row = |count, what: &str| Some((count, what.to_owned()));
        assert_eq!(
            instructions("mbedTLS 3.6.6       yes     no         55.0   0.6 / 7.0 KB"),
            row(55_000_000, "mbedTLS 3.6.6, blinded")
        );
        assert_eq!(
            instructions("this engine, RSA-2048, umaal  yes yes   9.947   3800 / 0 bytes"),
            row(9_947_000, "this engine, RSA-2048, umaal, blinded, checked")
        );
        for line in [
            "  import    15.200",
            "test result: ok. 1 passed; 0 failed / x",
            "",
        ] {
            assert_eq!(instructions(line), None, "{line}");
        }
    }
}
