//! The gateway's images, freshly built.

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

use privyseal_test_base::scratch::{target_dir, workspace};
use privyseal_test_base::tool::{LONG_LIMIT, cargo, run_within};

/// The path of an image, by the name that `cargo xtask firmware build` gives it. All are built first, once a
/// process, so that a test never meets an old one; or those in the folder `PRIVYSEAL_IMAGES` are taken as they are, so
/// that a campaign of hours does not depend on what becomes of the sources meanwhile.
///
/// # Panics
/// If they cannot be built, or there is none of that name.
pub fn image(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let path = FOLDER.get_or_init(build).join(format!("{name}.elf"));
    assert!(path.exists(), "no image {}", path.display());
    path
}

fn build() -> PathBuf {
    if let Some(folder) = env::var_os("PRIVYSEAL_IMAGES") {
        return workspace().join(folder);
    }
    let words = ["run", "--quiet", "--package", "xtask", "--", "firmware"];
    let mut build = cargo(words);
    run_within(LONG_LIMIT, build.arg("build").current_dir(workspace()));
    target_dir().join("firmware-images")
}
