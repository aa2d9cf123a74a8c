//! How much of something, as lines or bars: what `cargo xtask bench --keep` kept, with the machine and the day.
//!
//! The text has a `title`, a `note`, a `unit`, and a line `NUMBER what` for each point or bar. `ns` are shown as times.

use std::fmt::Write as _;

use super::{escaped, rectangle, svg, text};
use crate::failure::{Failure, fail};

const LEFT: usize = 24;
const WIDTH: usize = 760;
const BAR: usize = 14;
const STEP: usize = 48;
const BOTTOM: usize = 376;
const HEIGHT: u16 = 300;
const AXIS: usize = 96;
const COLORS: [&str; 9] = [
    "#2f7ed8", "#d95f02", "#2e9d4e", "#c2185b", "#8457d1", "#94722c", "#0097a7", "#7d7d7d",
    "#c98a00",
];

/// How much, and of what.
type Row<'t> = (u64, &'t str);

/// Draws lines where each row names a point that others have, too; else bars.
pub(super) fn draw(source: &str) -> Result<String, Failure> {
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
    let mut body = String::new();
    left(&mut body, "name", 28, title);
    left(&mut body, "soft", 48, note);
    let height = match Curves::of(&rows) {
        Some(curves) => curves.draw(unit, &mut body),
        None => bars(&rows, unit, &mut body),
    };
    Ok(svg(title, WIDTH + 2 * LEFT, height, &body))
}

/// The longest is as wide as there is room.
fn bars(rows: &[Row<'_>], unit: &str, body: &mut String) -> usize {
    let longest = rows.iter().map(|row| row.0).max().unwrap_or(1).max(1);
    for (number, (much, what)) in rows.iter().enumerate() {
        let y = 82 + number * STEP;
        left(body, "label", y, &format!("{what}: {}", shown(*much, unit)));
        let part = u128::from(*much) * (WIDTH as u128) / u128::from(longest);
        let width = usize::try_from(part).unwrap_or(WIDTH).max(2);
        rectangle(body, "box", (LEFT, y + 7), (width, BAR));
    }
    70 + rows.len() * STEP
}

/// What was measured at several points: by threads, by keys, by the part of all that took at most so long.
#[derive(Default)]
struct Curves<'t> {
    points: Vec<&'t str>,
    curves: Vec<(&'t str, Vec<(usize, u64)>)>,
}

impl<'t> Curves<'t> {
    fn of(rows: &[Row<'t>]) -> Option<Self> {
        const POINTS: [&str; 5] = ["half", "processor time", " threads", " keys", " %"];
        let mut found = Self::default();
        for &(much, what) in rows {
            let (name, point) = what.rsplit_once(", ")?;
            POINTS.iter().find(|end| point.ends_with(**end))?;
            if !found.points.contains(&point) {
                found.points.push(point);
            }
            let at = found.points.iter().position(|it| *it == point)?;
            match found.curves.iter_mut().find(|(other, _)| *other == name) {
                Some((_, curve)) => curve.push((at, much)),
                None => found.curves.push((name, vec![(at, much)])),
            }
        }
        Some(found)
    }

    /// Draws them, with their numbers below, and says how high that is.
    fn draw(&self, unit: &str, body: &mut String) -> usize {
        let all = self.curves.iter().flat_map(|(_, curve)| curve);
        let scale = Scale::new(all.map(|it| it.1).collect());
        for &mark in &scale.marks {
            let y = scale.y(mark);
            let (from, to) = (LEFT + AXIS, LEFT + WIDTH);
            let _ = write!(body, "<path class=\"line\" d=\"M{from} {y}H{to}\"/>");
            left(body, "soft", y + 4, &shown(mark, unit));
        }
        let x = |at: usize| LEFT + AXIS + (2 * at + 1) * (WIDTH - AXIS) / (2 * self.points.len());
        for (at, point) in self.points.iter().enumerate() {
            text(body, "soft", (x(at), BOTTOM + 22), point);
        }
        for (number, (name, curve)) in self.curves.iter().enumerate() {
            let (color, y) = (COLORS[number % COLORS.len()], BOTTOM + 52 + number * 22);
            let (mut path, mut dots, mut numbers) = (String::new(), String::new(), String::new());
            for &(at, much) in curve {
                let (x, y) = (x(at), scale.y(much));
                let _ = write!(path, "{}{x} {y}", if path.is_empty() { 'M' } else { 'L' });
                let _ = write!(dots, "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\"/>");
                let _ = write!(
                    numbers,
                    "{} {}",
                    if numbers.is_empty() { ':' } else { ',' },
                    shown(much, unit)
                );
            }
            let _ = write!(
                body,
                "<g fill=\"{color}\"><path fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" d=\"{path}\"/>{dots}\
                 <circle cx=\"{LEFT}\" cy=\"{}\" r=\"6\"/></g><text class=\"label\" x=\"{}\" y=\"{y}\">{}{numbers}</text>",
                y - 5,
                LEFT + 14,
                escaped(name)
            );
        }
        BOTTOM + 52 + self.curves.len() * 22
    }
}

/// Where a number stands: by its logarithm where the greatest is twenty times the least.
struct Scale {
    is_logarithmic: bool,
    /// From the foot to the top.
    marks: Vec<u64>,
}

impl Scale {
    fn new(mut all: Vec<u64>) -> Self {
        all.sort_unstable();
        let [least, most] = [all.first(), all.last()].map(|it| it.map_or(1, |it| *it.max(&1)));
        let decade = |much: u64| 10_u64.pow(much.ilog10());
        let is_logarithmic = most / least >= 20;
        let marks = if is_logarithmic {
            let decades = std::iter::successors(Some(decade(least)), |it| Some(it * 10));
            decades.take_while(|it| *it < most * 10).collect()
        } else {
            let mut steps = [1, 2, 5, 10]
                .map(|part| decade(most).div_ceil(5) * part)
                .into_iter();
            let step = steps.find(|step| most / step < 6).unwrap_or(most);
            (0..=most.div_ceil(step))
                .map(|number| number * step)
                .collect()
        };
        Self {
            is_logarithmic,
            marks,
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "it is a pixel"
    )]
    fn y(&self, much: u64) -> usize {
        let at = |much: u64| {
            let much = much as f64;
            if self.is_logarithmic {
                much.max(1.0).log10()
            } else {
                much
            }
        };
        let [from, to] =
            [self.marks.first(), self.marks.last()].map(|it| at(it.copied().unwrap_or(1)));
        let part = (at(much) - from) / (to - from);
        BOTTOM - (part.clamp(0.0, 1.0) * f64::from(HEIGHT)).round() as usize
    }
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
        let Ok(drawn) = draw("title T\nnote x86, 2026-11-29\nunit ns\n40000 a <b>\n20000 b\n1 c\n")
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
            assert!(draw(wrong).is_err(), "{wrong}");
        }
        assert_eq!(shown(9_947_206, "instructions"), "9.9 M instructions");
        assert_eq!(shown(1_204, "a second"), "1204 a second");
    }
    #[test]
    fn what_has_points_is_lines() {
        let rows = [
            (100, "a, 1 threads"),
            (50, "b, 1 threads"),
            (200, "a, 2 threads"),
            (60, "b, 2 threads"),
        ];
        let Some(curves) = Curves::of(&rows) else {
            panic!("no lines");
        };
        assert_eq!(curves.points, ["1 threads", "2 threads"]);
        assert_eq!(curves.curves[0], ("a", vec![(0, 100), (1, 200)]));
        assert!(Curves::of(&[(1, "RSA-2048, portable")]).is_none());
        let scale = Scale::new(vec![50, 200]);
        assert_eq!(scale.marks, [0, 40, 80, 120, 160, 200]);
        assert_eq!([0, 100, 200].map(|it| scale.y(it)), [376, 226, 76]);
        let scale = Scale::new(vec![90_000, 1_000]);
        assert_eq!(scale.marks, [1_000, 10_000, 100_000]);
        assert_eq!([1_000, 10_000].map(|it| scale.y(it)), [376, 226]);
    }
}
