//! The dependency graph as `cargo metadata` tells it, for the platforms of the policy.

use std::collections::HashSet;

use serde::Deserialize;

use crate::failure::{Context, Failure};
use crate::process::{BUILD, Run};

/// Packages and who uses whom.
#[derive(Deserialize)]
pub(super) struct Graph {
    pub(super) packages: Vec<Package>,
    resolve: Resolve,
}

/// One package at one version.
#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    #[serde(default)]
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `dev`, `build`, or nothing.
    kind: Option<String>,
}

impl Package {
    /// `name@version`.
    pub(super) fn spec(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// One of ours that is published or flashed: all but `host-tests` are, or may be.
    fn is_shipped(&self) -> bool {
        self.source.is_none() && !self.name.ends_with("-tests")
    }
}

impl Dependency {
    /// Whether who uses what has it need this one.
    fn is_passed_on(&self) -> bool {
        self.dep_kinds
            .iter()
            .any(|it| it.kind.as_deref() != Some("dev"))
    }
}

impl Graph {
    /// Asks cargo about the workspace with that manifest. A lock file that does not fit the manifests is a
    /// failure.
    pub(super) fn read(manifest: &str, targets: &[String]) -> Result<Self, Failure> {
        let ask = Run::cargo()
            .args([
                "metadata",
                "--locked",
                "--all-features",
                "--format-version",
                "1",
                "--manifest-path",
                manifest,
            ])
            .args(
                targets
                    .iter()
                    .flat_map(|target| ["--filter-platform", target]),
            )
            .limit(BUILD);
        let output = ask.capture()?;
        let mut graph: Self = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        let used: HashSet<&str> = graph
            .resolve
            .nodes
            .iter()
            .map(|node| node.id.as_str())
            .collect();
        graph
            .packages
            .retain(|package| used.contains(package.id.as_str()));
        Ok(graph)
    }

    /// All versions of a crate.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Package> {
        self.packages
            .iter()
            .filter(move |package| package.name == name)
    }

    /// Ids of the packages that the workspace needs even without the crates of that name.
    pub(super) fn reached_without(&self, left_out: &[String]) -> HashSet<&str> {
        let out = |id: &str| {
            let mut packages = self.packages.iter();
            packages.any(|package| package.id == id && left_out.contains(&package.name))
        };
        let own = self
            .packages
            .iter()
            .filter(|package| package.source.is_none());
        let mut open: Vec<&str> = own.map(|package| package.id.as_str()).collect();
        let mut reached = HashSet::new();
        while let Some(id) = open.pop() {
            if !out(id) && reached.insert(id) {
                let node = self.resolve.nodes.iter().filter(|node| node.id == id);
                open.extend(node.flat_map(|node| &node.deps).map(|dep| dep.pkg.as_str()));
            }
        }
        reached
    }

    /// Names of the packages that depend on this one directly.
    pub(super) fn users(&self, package: &Package) -> Vec<&str> {
        let users = self.users_by(package, |_| true);
        users.map(|user| user.name.as_str()).collect()
    }

    /// Names of our shipped packages that need this one for more than their own tests.
    pub(super) fn shipped_users(&self, package: &Package) -> Vec<&str> {
        let users = self.users_by(package, Dependency::is_passed_on);
        users
            .filter(|user| user.is_shipped())
            .map(|user| user.name.as_str())
            .collect()
    }

    fn users_by(
        &self,
        package: &Package,
        counts: impl Fn(&Dependency) -> bool,
    ) -> impl Iterator<Item = &Package> {
        let uses = |node: &&Node| {
            let mut deps = node.deps.iter();
            deps.any(|dep| dep.pkg == package.id && counts(dep))
        };
        let nodes = self.resolve.nodes.iter().filter(uses);
        let ids: HashSet<&str> = nodes.map(|node| node.id.as_str()).collect();
        self.packages
            .iter()
            .filter(move |user| ids.contains(user.id.as_str()))
    }
}
