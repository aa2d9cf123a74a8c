//! The pictures of the documents: SVG, from the manifests of the crates and from the texts in `docs/pictures`.
//!
//! A sequence is a `title`, `lanes` with bars between them, and lines `A -> B: text`, `A --> B: text` (what comes back) and
//! `note A: text`.

mod plot;
mod terminal;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::failure::{Context, Failure, fail};
use crate::lint::layers::LADDERS;
use crate::metadata::Package;
use crate::{metadata, paths};

const LANE: usize = 250;
const STEP: usize = 46;
const BOX: usize = 205;
const ROW: usize = 84;

/// The middle of a box, from the left, and its top.
type Place = (usize, usize);

const STYLE: &str = "svg{background:#fff;color:#1c1e21}text{font:14px system-ui,sans-serif;fill:currentColor}\
    .name{font-weight:600}.soft{font-size:12px;fill:#565b63}.box{fill:#eef2f8;stroke:#7f8ca1}\
    .said{font-size:12px;paint-order:stroke;stroke:#fff;stroke-width:5px}\
    .note{fill:#fdf0d0;stroke:#b08a30}.line{stroke:#7f8ca1}.arrow{stroke:currentColor;stroke-width:1.5;fill:none}\
    .back{stroke-dasharray:5 4}@media(prefers-color-scheme:dark){svg{background:#15171a;color:#e8e9eb}\
    .soft{fill:#a9afb8}.said{stroke:#15171a}.box{fill:#232a35}.note{fill:#3b2d0c}}";

/// What the demonstration printed when it was recorded.
pub(crate) fn demo_session() -> PathBuf {
    paths::root().join("docs/pictures/demo.txt")
}

/// Writes every picture.
pub(crate) fn run() -> Result<(), Failure> {
    for (path, svg) in all()? {
        fs::write(&path, svg).context(paths::shown(&path))?;
        println!("{}", paths::shown(&path));
    }
    Ok(())
}

fn all() -> Result<Vec<(PathBuf, String)>, Failure> {
    let folder = paths::root().join("docs/pictures");
    let read = |name: &str| {
        let path = folder.join(name).with_extension("txt");
        fs::read_to_string(&path).context(paths::shown(&path))
    };
    let packages = metadata::packages("Cargo.toml")?;
    let mut pictures = vec![(
        "architecture",
        architecture(&packages, &read("architecture")?)?,
    )];
    for name in ["fiam", "ishare", "itsme", "ehealth"] {
        pictures.push((name, sequence(&read(name)?)?));
    }
    let path = demo_session();
    let session = fs::read_to_string(&path).context(paths::shown(&path))?;
    let title = "From a key on a token to a call of FIAM, as cargo xtask demo shows it";
    pictures.push(("demo", terminal::session(title, &session)));
    let mut pictures: Vec<_> = pictures
        .into_iter()
        .map(|(name, svg)| (folder.join(name).with_extension("svg"), svg))
        .collect();
    for entry in fs::read_dir(&folder)
        .context(paths::shown(&folder))?
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(name) = name
            .strip_suffix(".txt")
            .filter(|it| it.starts_with("bench-"))
        {
            pictures.push((
                folder.join(name).with_extension("svg"),
                plot::draw(&read(name)?)?,
            ));
        }
    }
    Ok(pictures)
}

/// What the manifests say each crate uses, but for what it has through another that it uses. `words` has a line
/// `CRATE: PLACE what it is` for each; the place is in pixels from the left.
fn architecture(packages: &[Package], words: &str) -> Result<String, Failure> {
    let (mut boxes, mut arrows) = (String::new(), String::new());
    let mut places: BTreeMap<&str, Place> = BTreeMap::new();
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (height, row) in LADDERS[0].iter().enumerate() {
        let y = 16 + (LADDERS[0].len() - 1 - height) * ROW;
        let packages = packages
            .iter()
            .filter(|package| row.contains(&&*package.name));
        for package in packages {
            let name = &*package.name;
            let line = words
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let place = line.and_then(|line| line.split_once(' '));
            let (x, about) = place
                .ok_or_else(|| Failure(format!("architecture.txt has no place for {name}")))?;
            let x: usize = x.parse().context(name)?;
            let x = 16 + x;
            rectangle(&mut boxes, "box", (x, y), (BOX, 52));
            text(&mut boxes, "name", (x + BOX / 2, y + 22), name);
            text(&mut boxes, "soft", (x + BOX / 2, y + 41), about);
            places.insert(name, (x + BOX / 2, y));
            let uses = package.uses();
            let through: BTreeSet<_> = uses
                .iter()
                .filter_map(|it| reached.get(it))
                .flatten()
                .copied()
                .collect();
            for (x_below, y_below) in uses.difference(&through).filter_map(|it| places.get(it)) {
                let path = path_down((x + BOX / 2, y + 52), (*x_below, *y_below), &places);
                let _ = write!(
                    arrows,
                    "<path class=\"arrow\" marker-end=\"url(#head)\" d=\"{path}\"/>"
                );
            }
            reached.insert(name, &uses | &through);
        }
    }
    let width = places
        .values()
        .map(|(x, _)| x + BOX / 2 + 16)
        .max()
        .unwrap_or_default();
    let title = "The crates: an arrow leads to what is used, and what that uses is not drawn again";
    Ok(svg(
        title,
        width,
        LADDERS[0].len() * ROW + 16,
        &(arrows + &boxes),
    ))
}

/// From a box to one below it: to the side at once, or at the end where another box is in the way.
fn path_down((x, y): Place, (x_below, y_below): Place, boxes: &BTreeMap<&str, Place>) -> String {
    let in_way =
        |place: &Place| place.1 > y && place.1 < y_below && place.0.abs_diff(x_below) < BOX / 2;
    let (gap, end) = (ROW - 54, y_below - 2);
    if boxes.values().any(in_way) {
        format!("M{x} {y}V{}L{x_below} {end}", y_below - gap)
    } else {
        format!("M{x} {y}L{x_below} {}V{end}", y + gap - 2)
    }
}

/// Who says what to each other.
fn sequence(source: &str) -> Result<String, Failure> {
    let mut rest = source.lines();
    let mut head = |word: &str| {
        let line = rest.next().and_then(|line| line.strip_prefix(word));
        line.map_or_else(|| fail!("a sequence begins with `title` and `lanes`"), Ok)
    };
    let (title, lanes) = (head("title ")?, head("lanes ")?);
    let lanes: Vec<_> = lanes.split(" | ").collect();
    let lane = |name: &str| match lanes.iter().position(|lane| *lane == name) {
        Some(position) => Ok(LANE / 2 + position * LANE),
        None => fail!("no lane is called {name:?}"),
    };
    let mut steps = String::new();
    let mut y = 112;
    for line in rest {
        let Some((who, what)) = line.split_once(": ") else {
            return fail!("a line without `: `: {line}");
        };
        if let Some(name) = who.strip_prefix("note ") {
            let width = what.len() * 7 + 20;
            let left = lane(name)?.saturating_sub(width / 2).max(4);
            rectangle(&mut steps, "note", (left, y - 18), (width, 26));
            text(&mut steps, "soft", (left + width / 2, y), what);
        } else {
            let (from, to, class) = match (who.split_once(" --> "), who.split_once(" -> ")) {
                (Some((from, to)), _) => (from, to, "arrow back"),
                (None, Some((from, to))) => (from, to, "arrow"),
                (None, None) => return fail!("a line without an arrow: {line}"),
            };
            let (from, to) = (lane(from)?, lane(to)?);
            let end = if to > from { to - 3 } else { to + 3 };
            let _ = write!(
                steps,
                "<path class=\"{class}\" marker-end=\"url(#head)\" d=\"M{from} {y}H{end}\"/>"
            );
            text(&mut steps, "said", (usize::midpoint(from, to), y - 7), what);
        }
        y += STEP;
    }
    let mut body = String::new();
    let width = lanes.len() * LANE;
    text(&mut body, "name", (width / 2, 24), title);
    for name in &lanes {
        let x = lane(name)?;
        let _ = write!(body, "<path class=\"line\" d=\"M{x} 74V{}\"/>", y - 16);
        rectangle(&mut body, "box", (x - 100, 42), (200, 34));
        text(&mut body, "name", (x, 64), name);
    }
    Ok(svg(title, width, y, &(body + &steps)))
}

fn rectangle(
    body: &mut String,
    class: &str,
    (x, y): (usize, usize),
    (width, height): (usize, usize),
) {
    let _ = write!(
        body,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>"
    );
}

fn text(body: &mut String, class: &str, (x, y): (usize, usize), text: &str) {
    let text = escaped(text);
    let _ = write!(
        body,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>"
    );
}

/// As text of SVG.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn svg(title: &str, width: usize, height: usize, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{title}\"><title>{title}</title><style>{STYLE}</style><defs><marker id=\"head\" \
         viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\" fill=\"currentColor\"/></marker></defs>\n{}\n</svg>\n",
        body.replace("><", ">\n<")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_are_what_their_sources_make() {
        for (path, svg) in all().unwrap_or_else(|Failure(why)| panic!("{why}")) {
            let drawn = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                drawn == svg,
                "run `cargo xtask pictures`: {} is old",
                paths::shown(&path)
            );
        }
    }

    #[test]
    fn a_sequence_that_is_wrong_is_refused() {
        let head = "title T\nlanes A | B\n";
        assert!(sequence(&format!("{head}A -> B: <x>\n")).is_ok_and(|svg| svg.contains("&lt;x>")));
        for wrong in ["A -> C: x", "A B: x", "A -> B", "note C: x"] {
            assert!(sequence(&format!("{head}{wrong}\n")).is_err(), "{wrong}");
        }
        assert!(sequence("lanes A\n").is_err());
    }
}
