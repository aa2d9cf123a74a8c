//! The command `privyseal`, as this workspace builds it.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::tool::{LONG_LIMIT, command, run_within};

/// The path of the command. It is built first, so that a test never meets an old one.
///
/// # Panics
/// If it cannot be built.
pub fn path() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(build).clone()
}

/// The path of an example of the library, built first.
///
/// # Panics
/// If it cannot be built.
pub fn example(name: &str) -> PathBuf {
    cargo_build(&["--package", "privyseal", "--example", name]);
    let path = crate::scratch::target_dir()
        .join("debug/examples")
        .join(name);
    assert!(path.exists(), "cargo built no {}", path.display());
    path
}

fn build() -> PathBuf {
    cargo_build(&["--package", "privyseal-cli", "--bin", "privyseal"]);
    let path = crate::scratch::target_dir().join("debug/privyseal");
    assert!(path.exists(), "cargo built no {}", path.display());
    path
}

fn cargo_build(what: &[&str]) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("host-tests has a parent");
    // Together with this package, so that what both depend on is built once, with the same features.
    let mut build = command(&cargo(), ["build", "--quiet"]);
    build
        .args(what)
        .args(["--package", "privyseal-host-tests"])
        .current_dir(workspace);
    run_within(LONG_LIMIT, &mut build);
}

fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}
