//! Places for generated files. Nothing that a test makes is ever outside `target/` or a temporary
//! directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// `target/` of the workspace, or where `CARGO_TARGET_DIR` puts it.
pub fn target_dir() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("host-tests has a parent");
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace.join(dir),
        None => workspace.join("target"),
    }
}

/// A directory below [`target_dir`] that outlives the run, made if missing.
///
/// # Panics
/// If it cannot be made.
pub fn cache_dir(name: &str) -> PathBuf {
    let dir = target_dir().join(name);
    fs::create_dir_all(&dir)
        .unwrap_or_else(|error| panic!("cannot make {}: {error}", dir.display()));
    dir
}

/// A file of `host-tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path)
}

/// The public iSHARE test chain, DER, leaf first, as printed in the iSHARE developer portal.
///
/// # Panics
/// If a fixture is missing.
pub fn ishare_chain() -> Vec<Vec<u8>> {
    ["0-leaf", "1-issuing-ca", "2-sub-ca", "3-root-ca"]
        .iter()
        .map(|name| {
            let path = fixture(&format!("ishare-test-chain/{name}.der"));
            fs::read(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
        })
        .collect()
}
