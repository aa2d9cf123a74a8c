//! Arrows between the modules of a crate: no circle among the children of any module, and none up the floors.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::layers::FLOORS;
use super::source::{Arrow, Crate, Place};
use crate::failure::{Failure, fail};
use crate::metadata;

/// Reads every crate that is published or flashed, and this one.
pub(super) fn check() -> Result<(), Failure> {
    let mut found = Vec::new();
    for manifest in metadata::MANIFESTS {
        for package in metadata::packages(manifest)? {
            if package.is_for_tests() {
                continue;
            }
            for root in package.roots() {
                let krate = Crate::read(root)?;
                let arrows = krate.arrows();
                let graph = Graph::new(&package.name, &arrows);
                found.extend(graph.circles());
                if package.name == FLOORS.0 && root.ends_with("lib.rs") {
                    found.extend(graph.up_the_floors());
                    found.extend(without_floor(&krate.top_level()));
                }
            }
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    fail!("{}", found.join("\n"))
}

/// The arrows of one crate.
struct Graph<'a> {
    krate: &'a str,
    /// Per module, the arrows between its children: from, to, and where the first one is.
    levels: BTreeMap<&'a [String], Level<'a>>,
}

type Level<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Place>>;

impl<'a> Graph<'a> {
    fn new(krate: &'a str, arrows: &'a [Arrow]) -> Self {
        let mut levels: BTreeMap<&[String], Level<'_>> = BTreeMap::new();
        for arrow in arrows {
            let pairs = arrow.from.iter().zip(&arrow.to);
            let depth = pairs.take_while(|(from, to)| from == to).count();
            let level = levels.entry(&arrow.from[..depth]).or_default();
            let first = level.entry(&arrow.from[depth]).or_default();
            first.entry(&arrow.to[depth]).or_insert(&arrow.place);
        }
        Self { krate, levels }
    }

    /// One circle of each knot, the shortest through its first module.
    fn circles(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (parent, level) in &self.levels {
            let mut told: BTreeSet<&str> = BTreeSet::new();
            for start in level.keys() {
                let Some(circle) = shortest_circle(level, start) else {
                    continue;
                };
                if circle.iter().all(|name| !told.contains(name)) {
                    found.push(self.shown(parent, level, &circle));
                }
                told.extend(circle);
            }
        }
        found
    }

    fn shown(&self, parent: &[String], level: &Level<'_>, circle: &[&str]) -> String {
        let mut lines = vec![match parent {
            [] => format!("{}: modules use each other in a circle:", self.krate),
            _ => format!(
                "{} within {}: modules use each other in a circle:",
                self.krate,
                parent.join("::")
            ),
        }];
        for (from, to) in circle.iter().zip(circle.iter().cycle().skip(1)) {
            let Place { file, line } = level[from][to];
            lines.push(format!("  {file}:{line}: {from} uses {to}"));
        }
        lines.join("\n")
    }

    /// Arrows from a floor to a higher one.
    fn up_the_floors(&self) -> Vec<String> {
        let height = |name: &str| FLOORS.1.iter().position(|floor| *floor == name);
        let mut found = Vec::new();
        for (from, uses) in self.levels.get(&[][..]).into_iter().flatten() {
            for (to, Place { file, line }) in uses {
                if height(from).is_some() && height(from) < height(to) {
                    found.push(format!(
                        "{file}:{line}: {from} uses {to}: arrows of {} point down these floors only: {}",
                        self.krate,
                        FLOORS.1.join(" < ")
                    ));
                }
            }
        }
        found
    }
}

/// Modules that should have a floor.
fn without_floor(modules: &[&str]) -> Vec<String> {
    let without = modules.iter().filter(|name| !FLOORS.1.contains(name));
    without
        .map(|name| format!("{}: {name} is on no floor of layers.rs", FLOORS.0))
        .collect()
}

/// The fewest steps from a module back to itself.
fn shortest_circle<'a>(level: &Level<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let last = way[way.len() - 1];
        for next in level.get(last).into_iter().flat_map(BTreeMap::keys) {
            if *next == start {
                return Some(way);
            }
            if seen.insert(*next) {
                ways.push_back([&way[..], &[next]].concat());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::source::crate_of;
    use super::*;

    fn judged(krate: &str, files: &[(&[&str], &str)]) -> (Vec<String>, Vec<String>) {
        let arrows = crate_of(files).arrows();
        let graph = Graph::new(krate, &arrows);
        (graph.circles(), graph.up_the_floors())
    }

    #[test]
    fn a_circle_is_shown_with_every_arrow_of_it() {
        let files: [(&[&str], &str); 4] = [
            (&["a"], "use crate::b::B;"),
            (&["b"], "\nuse super::c::C;"),
            (&["c"], "fn f() { crate::a::f() }"),
            (&["d"], "use crate::a::A;"),
        ];
        let (circles, _) = judged("any", &files);
        assert_eq!(
            circles,
            [
                "any: modules use each other in a circle:\n  a.rs:1: a uses b\n  b.rs:2: b uses c\n  c.rs:1: c uses a"
            ]
        );
        assert_eq!(judged("any", &files[..2]).0, Vec::<String>::new());
    }

    #[test]
    fn children_of_a_module_must_not_form_a_circle_either() {
        let files: [(&[&str], &str); 3] = [
            (
                &["a"],
                "mod b { use super::c::C; } mod c { use super::b::B; }",
            ),
            (&["x"], "use crate::a::c::C;"),
            (&["y"], "use crate::a::b::B;"),
        ];
        let (circles, _) = judged("any", &files);
        assert_eq!(circles.len(), 1);
        assert!(circles[0].starts_with("any within a: "), "{}", circles[0]);
    }

    #[test]
    fn an_arrow_up_the_floors_is_found() {
        let (_, up) = judged(
            "privyseal",
            &[(&["base"], ""), (&["http"], "use crate::base::X;")],
        );
        assert_eq!(up, Vec::<String>::new());
        let (_, up) = judged(
            "privyseal",
            &[(&["base"], "use crate::http::X;"), (&["http"], "")],
        );
        assert!(up[0].starts_with("base.rs:1: base uses http: "), "{up:?}");
    }

    #[test]
    fn a_module_without_floor_is_found() {
        assert_eq!(without_floor(FLOORS.1), Vec::<String>::new());
        let found = without_floor(&[FLOORS.1, &["attic"]].concat());
        assert_eq!(found, ["privyseal: attic is on no floor of layers.rs"]);
    }
}
