//! A small graph that breaks the policy in every way, one at a time.

use super::{Graph, Policy, denied, duplicates, idle_skips, licences, sources};

const FILE: &str = r#"
[graph]
targets = []
[licenses]
allow = ["MIT"]
[bans]
deny = [{ crate = "rsa", wrappers = ["app", "own-tests"], reason = "tests only" }]
skip = []
skip-tree = [{ crate = "old", reason = "nothing newer" }]

"#;

/// `name version license source uses..`, one package a line; `own` has no source. What is used with a `~` is
/// for its own tests.
fn graph(lines: &[&str]) -> Graph {
    let mut packages = Vec::new();
    let mut nodes = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, version, source) = (words[0], words[1], words[3]);
        let source = (source != "own").then_some(source);
        let id = format!("{name}@{version}");
        let deps = words[4..].iter().map(|uses| {
            let kind = uses.starts_with('~').then_some("dev");
            let pkg = uses.trim_start_matches('~');
            serde_json::json!({ "pkg": pkg, "dep_kinds": [{ "kind": kind }] })
        });
        nodes.push(serde_json::json!({ "id": id, "deps": deps.collect::<Vec<_>>() }));
        packages.push(serde_json::json!({
            "id": id, "name": name, "version": version, "license": words[2], "source": source,
        }));
    }
    let whole = serde_json::json!({ "packages": packages, "resolve": { "nodes": nodes } });
    serde_json::from_value(whole).expect("the shape of cargo metadata")
}

fn policy(skip: &str) -> Policy {
    let file = FILE.replace("skip = []", &format!("skip = [{skip}]"));
    Policy::parse(&file).expect("the shape of deny.toml")
}

#[test]
fn two_versions_are_named_with_who_holds_them_unless_skipped() {
    let graph = graph(&[
        "x 1.0.0 MIT own",
        "x 2.0.0 MIT own",
        "a 1.0.0 MIT own x@1.0.0",
    ]);
    let breaches = duplicates(&graph, &policy(""));
    assert_eq!(breaches, ["x at 1.0.0 (used by a) and 2.0.0 (used by )"]);
    let skip = r#"{ crate = "x@1.0.0", reason = "a" }"#;
    assert!(duplicates(&graph, &policy(skip)).is_empty());
}

#[test]
fn a_skip_that_nothing_needs_is_a_breach() {
    let skip = r#"{ crate = "x@1.0.0", reason = "a" }"#;
    for lines in [&["x 1.0.0 MIT own"], &["x 2.0.0 MIT own"]] {
        let breaches = idle_skips(&[graph(lines)], &policy(skip));
        assert_eq!(breaches, ["the skip of x@1.0.0 is not needed any more"]);
    }
}

#[test]
fn a_skipped_tree_may_hold_old_versions_for_itself_only() {
    let own = "app 0.1.0 MIT own old@1.0.0 x@2.0.0";
    let old = "old 1.0.0 MIT registry x@1.0.0";
    let (x1, x2) = ("x 1.0.0 MIT registry", "x 2.0.0 MIT registry");
    assert!(duplicates(&graph(&[own, old, x1, x2]), &policy("")).is_empty());
    let other = "other 0.1.0 MIT own x@1.0.0";
    let breaches = duplicates(&graph(&[own, other, old, x1, x2]), &policy(""));
    assert_eq!(
        breaches,
        ["x at 1.0.0 (used by other, old) and 2.0.0 (used by app)"]
    );
}

#[test]
fn only_its_wrappers_may_use_a_denied_crate() {
    let fine = graph(&["rsa 1.0.0 MIT own", "own-tests 0.1.0 MIT own rsa@1.0.0"]);
    assert!(denied(&fine, &policy("")).is_empty());
    let lines = [
        "rsa 1.0.0 MIT own",
        "core 0.1.0 MIT own rsa@1.0.0",
        "own-tests 0.1.0 MIT own rsa@1.0.0",
    ];
    let breaches = denied(&graph(&lines), &policy(""));
    assert_eq!(breaches, ["rsa@1.0.0 used by core: tests only"]);
}

#[test]
fn a_wrapper_that_is_shipped_may_use_it_for_its_tests_only() {
    let fine = graph(&["rsa 1.0.0 MIT own", "app 0.1.0 MIT own ~rsa@1.0.0"]);
    assert!(denied(&fine, &policy("")).is_empty());
    let passed_on = graph(&["rsa 1.0.0 MIT own", "app 0.1.0 MIT own rsa@1.0.0"]);
    let breaches = denied(&passed_on, &policy(""));
    assert_eq!(breaches, ["rsa@1.0.0 used by app: tests only"]);
}

#[test]
fn a_foreign_licence_or_source_is_a_breach() {
    let foreign = graph(&["x 1.0.0 GPL-3.0 git+https://example.com/x"]);
    assert_eq!(
        licences(&foreign, &policy("")),
        ["x@1.0.0: licence not allowed: GPL-3.0"]
    );
    assert_eq!(
        sources(&foreign),
        ["x@1.0.0: from an unknown source: git+https://example.com/x"]
    );
    let known = graph(&["x 1.0.0 MIT registry+https://github.com/rust-lang/crates.io-index"]);
    assert!(licences(&known, &policy("")).is_empty() && sources(&known).is_empty());
}
