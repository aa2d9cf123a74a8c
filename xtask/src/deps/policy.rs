//! The part of `deny.toml` that is checked here. Keys are cargo-deny's.

use std::fs;

use serde::Deserialize;

use crate::failure::{Context, Failure};
use crate::paths;

/// What is allowed.
pub(super) struct Policy {
    /// Platforms whose dependencies count.
    pub(super) targets: Vec<String>,
    /// SPDX identifiers.
    pub(super) licences: Vec<String>,
    /// `name@version` of duplicates that are known and accepted.
    pub(super) skip: Vec<String>,
    /// Names of crates whose own dependencies may be of other versions than ours.
    pub(super) skip_tree: Vec<String>,
    /// Crates that only some may use, or none.
    pub(super) denied: Vec<Denied>,
}

/// A crate that must not be used, except by its wrappers.
#[derive(Deserialize)]
pub(super) struct Denied {
    #[serde(rename = "crate")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) wrappers: Vec<String>,
    pub(super) reason: String,
}

#[derive(Deserialize)]
struct File {
    graph: GraphSection,
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct GraphSection {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Denied>,
    skip: Vec<Skip>,
    #[serde(rename = "skip-tree")]
    skip_tree: Vec<Skip>,
}

#[derive(Deserialize)]
struct Skip {
    #[serde(rename = "crate")]
    spec: String,
    /// Not used here, but no exception is accepted without one.
    #[serde(rename = "reason")]
    _reason: String,
}

impl Policy {
    /// Reads the file at the root of the repository.
    pub(super) fn read() -> Result<Self, Failure> {
        let text = fs::read_to_string(paths::root().join("deny.toml")).context("deny.toml")?;
        Self::parse(&text)
    }

    /// Reads the text of the file.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let file: File = toml::from_str(text).context("deny.toml")?;
        Ok(Self {
            targets: file.graph.targets,
            licences: file.licenses.allow,
            skip: file.bans.skip.into_iter().map(|skip| skip.spec).collect(),
            skip_tree: file
                .bans
                .skip_tree
                .into_iter()
                .map(|skip| skip.spec)
                .collect(),
            denied: file.bans.deny,
        })
    }
}
