//! Arrows between crates: each points down a ladder of [`LADDERS`].

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::layers::{FOR_TESTS, LADDERS};
use crate::failure::{Context, Failure, fail};
use crate::metadata::{self, Dependency, Package};
use crate::paths;
use crate::process::Run;

/// The most crates, ours among them, that an application with PKCS #11 only builds.
const MOST_CRATES: usize = 70;

/// Fails on each dependency that points up or sideways, and on a crate without a place.
pub(super) fn check() -> Result<(), Failure> {
    let mut found = Vec::new();
    for manifest in metadata::MANIFESTS {
        for package in metadata::packages(manifest)? {
            if !package.is_for_tests() && package.name != "xtask" {
                found.extend(arrows_up(&package)?);
            }
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    fail!("{}", found.join("\n"))
}

/// Fails where an application with PKCS #11 only builds too many crates.
pub(super) fn count() -> Result<(), Failure> {
    let tree = Run::cargo("tree --edges normal --prefix none --no-dedupe --package privyseal");
    let output = tree
        .words("--no-default-features --features pkcs11")
        .capture()?;
    let text = output.text();
    let crates: BTreeSet<_> = text.lines().collect();
    if crates.len() > MOST_CRATES {
        return fail!("{} crates, over {MOST_CRATES}", crates.len());
    }
    println!("{} crates", crates.len());
    Ok(())
}

fn arrows_up(package: &Package) -> Result<Vec<String>, Failure> {
    let manifest = paths::shown(&package.manifest_path);
    let text = fs::read_to_string(&package.manifest_path).context(&manifest)?;
    let mut found = Vec::new();
    if !LADDERS
        .iter()
        .any(|ladder| height(ladder, &package.name).is_some())
    {
        let name = &package.name;
        found.push(format!("{manifest}: {name} is on no ladder of layers.rs"));
    }
    for dependency in &package.dependencies {
        if let Some(rule) = broken_rule(&package.name, dependency) {
            let line = line_of(&text, &dependency.name);
            let (from, to) = (&package.name, &dependency.name);
            found.push(format!("{manifest}:{line}: {from} uses {to}, which {rule}"));
        }
    }
    Ok(found)
}

fn broken_rule(from: &str, dependency: &Dependency) -> Option<&'static str> {
    let name = dependency.name.as_str();
    if is_ours(dependency) {
        let up = !points_down(from, name);
        return up.then_some("is not below it on a ladder of layers.rs");
    }
    let shipped = dependency.kind.as_deref() != Some("dev");
    (shipped && FOR_TESTS.contains(&name)).then_some("is for tests only")
}

/// One of our crates. What serves tests may be used by tests.
fn is_ours(dependency: &Dependency) -> bool {
    let is_test_tool =
        |path: &Path| dependency.kind.as_deref() == Some("dev") && metadata::is_for_tests(path);
    dependency
        .path
        .as_deref()
        .is_some_and(|path| !is_test_tool(path))
}

fn points_down(from: &str, to: &str) -> bool {
    LADDERS.iter().any(|ladder| {
        let (from, to) = (height(ladder, from), height(ladder, to));
        to.is_some() && from > to
    })
}

fn height(ladder: &[&[&str]], name: &str) -> Option<usize> {
    ladder.iter().position(|layer| layer.contains(&name))
}

fn line_of(manifest: &str, dependency: &str) -> usize {
    let is_it = |line: &str| {
        let rest = line.strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    manifest.lines().position(is_it).map_or(1, |line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_points_down_one_ladder() {
        assert!(points_down("privyseal", "privyseal-core"));
        assert!(points_down("privyseal-firmware-app", "privyseal-core"));
        assert!(!points_down("privyseal-core", "privyseal"));
        assert!(!points_down("privyseal-pkcs11", "privyseal-yubihsm"));
        assert!(!points_down("privyseal", "privyseal-firmware-app"));
        assert!(!points_down("privyseal", "unheard-of"));
        assert!(!points_down("unheard-of", "privyseal-core"));
    }

    #[test]
    fn only_tests_may_use_what_serves_tests() {
        let on = |name: &str, kind: Option<&str>, path: Option<&str>| Dependency {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            path: path.map(|path| paths::root().join(path)),
        };
        let broken = |kind, name, path| broken_rule("privyseal-core", &on(name, kind, path));
        assert_eq!(broken(None, "serde", None), None);
        assert_eq!(broken(Some("dev"), "rsa", None), None);
        assert!(
            broken(None, "rsa", None).is_some() && broken(Some("build"), "rsa", None).is_some()
        );
        assert_eq!(broken(Some("dev"), "suite", Some("host-tests/suite")), None);
        assert!(broken(None, "suite", Some("host-tests/suite")).is_some());
        assert!(broken(Some("dev"), "privyseal", Some("host")).is_some());
    }

    #[test]
    fn a_dependency_is_found_in_its_manifest() {
        let manifest =
            "[dependencies]\nprivyseal-core.workspace = true\nprivyseal = { path = \"x\" }\n";
        assert_eq!(line_of(manifest, "privyseal"), 3);
        assert_eq!(line_of(manifest, "privyseal-core"), 2);
    }
}
