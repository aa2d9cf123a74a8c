//! How much of something, as bars: what `cargo xtask bench --keep` kept, with the machine and the day.
//!
//! The text has a `title`, a `note`, a `unit`, and a line `NUMBER what` for each bar. `ns` are shown as times.

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
    let (Some(title), Some(note), Some(unit)) = (head("title "), head("note "), head("unit "))
    else {
        return fail!("a plot begins with `title`, `note` and `unit`");
    };
    let mut rows = Vec::new();
    for line in lines {
        let row = line.split_once(' ');
        let row = row.and_then(|(much, what)| Some((much.parse::<u64>().ok()?, what)));
        match row {
            Some(row) => rows.push(row),
            None => return fail!("no row of a plot: {line}"),
        }
    }
    let longest = rows.iter().map(|row| row.0).max().unwrap_or(1).max(1);
    let mut body = String::new();
    left(&mut body, "name", 28, title);
    left(&mut body, "soft", 48, note);
    for (number, (much, what)) in rows.iter().enumerate() {
        let y = 82 + number * STEP;
        left(
            &mut body,
            "label",
            y,
            &format!("{what}: {}", shown(*much, unit)),
        );
        let part = u128::from(*much) * (WIDTH as u128) / u128::from(longest);
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

/// One digit behind the point, and a unit.
fn shown(much: u64, unit: &str) -> String {
    let sizes = [1_000_000_000, 1_000_000, 1_000];
    let names = match unit {
        "ns" => ["s", "ms", "µs"].map(str::to_owned),
        _ => ["G", "M", "k"].map(|size| format!("{size} {unit}")),
    };
    // Rates of some thousands are read as they are.
    let least = if unit == "ns" { 1_000 } else { 100_000 };
    for (size, name) in sizes.into_iter().zip(names) {
        if much >= size.max(least) {
            let (whole, tenths) = (much / size, much % size * 10 / size);
            return format!("{whole}.{tenths} {name}");
        }
    }
    format!("{much} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_it_took() {
        let Ok(drawn) = bars("title T\nnote x86, 2026-11-29\nunit ns\n40000 a <b>\n20000 b\n1 c\n")
        else {
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
            "title T\nnote n\n",
            "title T\nnote n\nunit ns\nx y\n",
            "title T\nnote n\nunit ns\n12\n",
        ] {
            assert!(bars(wrong).is_err(), "{wrong}");
        }
        assert_eq!(shown(9_947_206, "instructions"), "9.9 M instructions");
        assert_eq!(shown(1_204, "a second"), "1204 a second");
    }
}
