//! Places for generated files. Nothing that a test makes is ever outside `target/` or a temporary
//! directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace.
///
/// # Panics
/// Never: this crate lies in it.
pub fn workspace() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.nth(2).expect("host-tests/base is two below")
}

/// A file or folder of `host-tests`.
pub fn host_tests(path: &str) -> PathBuf {
    workspace().join("host-tests").join(path)
}

/// `target/` of the workspace, or where `CARGO_TARGET_DIR` puts it.
pub fn target_dir() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR");
    workspace().join(named.unwrap_or_else(|| "target".into()))
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
    host_tests("fixtures").join(path)
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
