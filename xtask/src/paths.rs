//! Where things are: the repository, the build folder, programs, a PKCS#11 module.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, fail};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// The folder cargo builds into: `CARGO_TARGET_DIR`, else `target`.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A path as a person at the root of the repository would type it.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The first executable of that name on `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let dirs = env::var_os("PATH")?;
    env::split_paths(&dirs)
        .map(|dir| dir.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// SoftHSM's PKCS#11 module: Debian puts it in `/usr/lib/softhsm`, others in a library folder.
pub(crate) fn softhsm_module() -> Result<PathBuf, Failure> {
    const PLACES: [&str; 5] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ];
    match PLACES.iter().map(PathBuf::from).find(|file| file.is_file()) {
        Some(file) => Ok(file),
        None => fail!("no libsofthsm2.so in any of {}", PLACES.join(", ")),
    }
}
