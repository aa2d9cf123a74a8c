//! The npm packages that play an OpenID provider, in a folder that git ignores.

use std::fs;

use super::DOWNLOAD;
use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::Run;

/// Brings the folder in line with the lock file; does nothing when it is.
pub(crate) fn install_packages() -> Result<(), Failure> {
    let folder = paths::root().join("host-tests/node");
    let lock = folder.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).context(paths::shown(&lock))?;
    // Written last, so that an interrupted install is done again. `host-tests/judges/src/node.rs` uses the same
    // folder and the same file.
    let done = folder.join("node_modules/installed.json");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing npm packages into {}", paths::shown(&folder));
    let npm = Run::new("npm").args(["ci", "--silent", "--prefix"]);
    npm.arg(&folder).limit(DOWNLOAD).stream()?;
    fs::write(&done, wanted).context(paths::shown(&done))
}
