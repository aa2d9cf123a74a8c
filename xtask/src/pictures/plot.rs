//! How long things took, as bars: what `cargo xtask bench --keep` kept, with the machine and the day.
//!
//! The text has a `title`, a `note`, and a line `NANOSECONDS what` for each bar.

use std::fmt::Write as _;

use super::{escaped, rectangle, svg};
use crate::failure::{Failure, fail};

const LEFT: usize = 24;
const WIDTH: usize = 760;
const BAR: usize = 14;
const STEP: usize = 48;

/// Draws the bars, the longest as wide as there is room.
pub(super) fn bars(source: &str) -> Result<String, Failure> {
    let mut lines = source.lines();
    let mut head = |word: &str| lines.next().and_then(|line| line.strip_prefix(word));
    let (Some(title), Some(note)) = (head("title "), head("note ")) else {
        return fail!("a plot begins with `title` and `note`");
    };
    let mut rows = Vec::new();
    for line in lines {
        let row = line.split_once(' ');
        let row = row.and_then(|(time, what)| Some((time.parse::<u64>().ok()?, what)));
        match row {
            Some(row) => rows.push(row),
            None => return fail!("no row of a plot: {line}"),
        }
    }
    let longest = rows.iter().map(|row| row.0).max().unwrap_or(1).max(1);
    let mut body = String::new();
    left(&mut body, "name", 28, title);
    left(&mut body, "soft", 48, note);
    for (number, (time, what)) in rows.iter().enumerate() {
        let y = 82 + number * STEP;
        left(&mut body, "label", y, &format!("{what}: {}", shown(*time)));
        let part = u128::from(*time) * (WIDTH as u128) / u128::from(longest);
        let width = usize::try_from(part).unwrap_or(WIDTH).max(2);
        rectangle(&mut body, "box", (LEFT, y + 7), (width, BAR));
    }
    Ok(svg(title, WIDTH + 2 * LEFT, 70 + rows.len() * STEP, &body))
}

fn left(body: &mut String, class: &str, y: usize, text: &str) {
    let text = escaped(text);
    let _ = write!(
        body,
        "<text class=\"{class}\" x=\"{LEFT}\" y=\"{y}\">{text}</text>"
    );
}

/// Three digits and a unit.
fn shown(nanoseconds: u64) -> String {
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];
    for (size, unit) in units {
        if nanoseconds >= size {
            let (whole, tenths) = (nanoseconds / size, nanoseconds % size * 10 / size);
            return format!("{whole}.{tenths} {unit}");
        }
    }
    format!("{nanoseconds} ns")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_it_took() {
        let Ok(drawn) = bars("title T\nnote x86, 2026-11-29\n40000 a <b>\n20000 b\n1 c\n") else {
            panic!("no plot");
        };
        for part in [
            "a &lt;b>: 40.0 µs",
            "width=\"760\" height=\"14\"",
            "width=\"380\"",
            "width=\"2\"",
            "c: 1 ns",
        ] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        for wrong in [
            "title T\n",
            "title T\nnote n\nx y\n",
            "title T\nnote n\n12\n",
        ] {
            assert!(bars(wrong).is_err(), "{wrong}");
        }
    }
}
