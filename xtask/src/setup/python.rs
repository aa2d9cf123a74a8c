//! The Python packages that judge our tokens, in a folder of their own under `target`.

use std::fs;

use super::DOWNLOAD;
use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::{QUICK, Run};

/// Brings the folder in line with the requirements file; does nothing when it is.
pub(crate) fn install_packages() -> Result<(), Failure> {
    let requirements = paths::root().join("host-tests/python/requirements.txt");
    let wanted = fs::read_to_string(&requirements).context(paths::shown(&requirements))?;
    // The list that is installed, written last, so that an interrupted install is done again.
    // `host-tests/judges/src/python.rs` uses the same folder and the same file.
    let folder = paths::target().join("python-venv");
    let done = folder.join("requirements.installed");
    let python = folder.join("bin/python");
    let works = Run::new(&python).args(["-c", ""]).capture().is_ok();
    if works && fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing Python packages into {}", paths::shown(&folder));
    let venv = Run::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder);
    venv.limit(QUICK * 3).capture()?;
    let pip = Run::new(&python)
        // The list is complete, and its packages disagree about versions of each other.
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .arg("--requirement")
        .arg(&requirements)
        .limit(DOWNLOAD);
    pip.stream()?;
    fs::write(&done, wanted).context(paths::shown(&done))
}
