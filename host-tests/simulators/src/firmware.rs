//! The gateway's images, freshly built.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use privyseal_test_base::scratch::{target_dir, workspace};
use privyseal_test_base::tool::{LONG_LIMIT, cargo, run_within};

/// The folder of images that were built before.
const READY: &str = "PRIVYSEAL_IMAGES";

/// The path of an image, by the name that `cargo xtask firmware build` gives it. It is built first, once a
/// process, so that a test never meets an old one; or that in the folder `PRIVYSEAL_IMAGES` is taken as it is, so
/// that a campaign of hours does not depend on what becomes of the sources meanwhile.
///
/// # Panics
/// If it cannot be built, or there is none of that name.
pub fn image(name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(name) {
        build(&[name]);
        built.insert(name.to_owned());
    }
    let path = folder().join(format!("{name}.elf"));
    assert!(path.exists(), "no image {}", path.display());
    path
}

/// The folder of all images, which are built first.
///
/// # Panics
/// As for [`image`].
pub fn images() -> PathBuf {
    build(&[]);
    folder()
}

fn folder() -> PathBuf {
    match env::var_os(READY) {
        Some(folder) => workspace().join(folder),
        None => target_dir().join("firmware-images"),
    }
}

/// Those, or all where none is named.
fn build(names: &[&str]) {
    if env::var_os(READY).is_none() {
        let words = ["run", "--quiet", "--package", "xtask", "--", "firmware"];
        let mut build = cargo(words);
        let build = build.arg("build").args(names).current_dir(workspace());
        run_within(LONG_LIMIT, build);
    }
}
