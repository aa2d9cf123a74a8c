//! The command `privyseal`, as this workspace builds it.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::scratch::{target_dir, workspace};
use crate::tool::{LONG_LIMIT, cargo, run_within};

/// The path of the command. It is built first, so that a test never meets an old one.
///
/// # Panics
/// If it cannot be built.
pub fn path() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let build = || cargo_build("--bin", "privyseal", "debug");
    PATH.get_or_init(build).clone()
}

/// The path of an example of the library, built first.
///
/// # Panics
/// If it cannot be built.
pub fn example(name: &str) -> PathBuf {
    cargo_build("--example", name, "debug/examples")
}

fn cargo_build(kind: &str, name: &str, folder: &str) -> PathBuf {
    // Of the whole workspace, so that what all depend on is built once, with the same features.
    let mut build = cargo(["build", "--quiet", "--workspace", kind, name]);
    run_within(LONG_LIMIT, build.current_dir(workspace()));
    let path = target_dir().join(folder).join(name);
    assert!(path.exists(), "cargo built no {}", path.display());
    path
}
