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
}

impl Package {
    /// `name@version`.
    pub(super) fn spec(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

impl Graph {
    /// Asks cargo. A lock file that does not fit the manifests is a failure.
    pub(super) fn read(targets: &[String]) -> Result<Self, Failure> {
        let ask = Run::cargo()
            .args([
                "metadata",
                "--locked",
                "--all-features",
                "--format-version",
                "1",
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
        let uses = |node: &&Node| node.deps.iter().any(|dep| dep.pkg == package.id);
        let ids: HashSet<&str> = self
            .resolve
            .nodes
            .iter()
            .filter(uses)
            .map(|node| node.id.as_str())
            .collect();
        let by_id = self
            .packages
            .iter()
            .filter(|user| ids.contains(user.id.as_str()));
        by_id.map(|user| user.name.as_str()).collect()
    }
}
