//! The packages of a workspace, as `cargo metadata` tells them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::Run;

/// Workspaces of what is published or flashed. Those of fuzzers, benchmarks and the second PKCS#11 module serve tests
/// only.
pub(crate) const MANIFESTS: [&str; 2] = ["Cargo.toml", "firmware/Cargo.toml"];

/// A package of ours.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
    pub(crate) rust_version: Option<String>,
    /// The registries it may go to: all, or none.
    publish: Option<Vec<String>>,
}

/// What a package depends on.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev`, `build`, or nothing.
    pub(crate) kind: Option<String>,
    /// Where it lies, when it is one of ours.
    pub(crate) path: Option<PathBuf>,
}

/// A library, a program, a test.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

impl Package {
    /// Whether users get it.
    pub(crate) fn is_published(&self) -> bool {
        self.publish.is_none()
    }

    /// Whether it serves tests only: it lies below `host-tests`.
    pub(crate) fn is_for_tests(&self) -> bool {
        is_for_tests(&self.manifest_path)
    }

    /// The packages of ours that it needs, to be built and not to be tested.
    pub(crate) fn uses(&self) -> BTreeSet<&str> {
        let is_ours = |it: &&Dependency| it.kind.is_none() && it.path.is_some();
        self.dependencies
            .iter()
            .filter(is_ours)
            .map(|it| &*it.name)
            .collect()
    }

    /// The root files of its library and programs.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &Path> {
        let is_product = |kind: &String| kind == "bin" || kind.ends_with("lib");
        let products = self
            .targets
            .iter()
            .filter(move |target| target.kind.iter().any(is_product));
        products.map(|target| target.src_path.as_path())
    }

    /// Whether it has a library.
    pub(crate) fn has_library(&self) -> bool {
        self.targets
            .iter()
            .any(|target| target.kind.iter().any(|kind| kind == "lib"))
    }
}

/// Whether a path is of a package that serves tests only.
pub(crate) fn is_for_tests(path: &Path) -> bool {
    path.starts_with(paths::root().join("host-tests"))
}

/// The packages of the workspace with that manifest.
pub(crate) fn packages(manifest: &str) -> Result<Vec<Package>, Failure> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let metadata = Run::cargo("metadata --no-deps --format-version 1 --manifest-path");
    let output = metadata.arg(manifest).capture()?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    Ok(metadata.packages)
}
