//! A Python interpreter with PyJWT and cryptography, pinned, in a virtual environment below `target/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use privyseal_test_base::scratch::{cache_dir, host_tests, target_dir};
use privyseal_test_base::tool::{LONG_LIMIT, command, output, run_within};
use serde_json::json;

use crate::decode::to_hex;

/// The interpreter. Makes the environment if it is missing or its pins have changed.
///
/// # Panics
/// If Python or the packages cannot be had: then the tokens cannot be judged.
pub fn interpreter() -> PathBuf {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let environment = target_dir().join("python-venv");
        if !is_complete(&environment) {
            install(&environment);
        }
        environment.join(PYTHON)
    };
    INTERPRETER.get_or_init(make).clone()
}

/// The script that judges a client assertion; its head says what it reads and writes.
pub fn verify_script() -> PathBuf {
    host_tests("python/verify.py")
}

/// The script that judges and makes iSHARE assertions with `python-ishare` and `jwcrypto`.
pub fn ishare_script() -> PathBuf {
    host_tests("python/ishare.py")
}

/// Whether a factor of `modulus` can be computed of the signatures of two tokens: the one that should have come, and the one that did.
///
/// # Panics
/// If the script cannot be run.
pub fn tells_factor(modulus: &[u8], tokens: [&str; 2]) -> bool {
    let mut judge = Command::new(interpreter());
    judge
        .arg(host_tests("python/factor.py"))
        .arg(to_hex(modulus));
    let judged = output(&mut judge, json!(tokens).to_string().as_bytes());
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(said.is_empty(), "factor.py: {said}");
    !judged.status.success()
}

/// Authlib's authorization server; its head says what it reads and writes.
pub fn authlib_script() -> PathBuf {
    host_tests("python/authlib_server.py")
}

const PYTHON: &str = "bin/python";

/// A copy of the requirements, written last: an environment without it is not complete.
const INSTALLED: &str = "requirements.installed";

fn requirements() -> PathBuf {
    host_tests("python/requirements.txt")
}

fn is_complete(environment: &Path) -> bool {
    let wanted = fs::read(requirements()).expect("python/requirements.txt is there");
    // It may link to an interpreter that was removed.
    environment.join(PYTHON).exists()
        && fs::read(environment.join(INSTALLED)).is_ok_and(|installed| installed == wanted)
}

/// Makes the environment beside its place and then moves it there, so that no process ever sees half
/// of one. Only `bin/python` is used, which survives the move.
fn install(environment: &Path) {
    let drafts = tempfile::Builder::new()
        .prefix("python-venv-")
        .tempdir_in(cache_dir("tmp"))
        .expect("target/ can be written");
    let draft = drafts.path().join("new");
    run_within(LONG_LIMIT, command("python3", ["-m", "venv"]).arg(&draft));
    run_within(
        LONG_LIMIT,
        command(&draft.join(PYTHON).to_string_lossy(), ["-m", "pip"])
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--requirement",
            ])
            .arg(requirements()),
    );
    fs::copy(requirements(), draft.join(INSTALLED)).expect("target/ can be written");
    if fs::rename(&draft, environment).is_ok() || is_complete(environment) {
        return;
    }
    // One with other pins is in the place.
    fs::rename(environment, drafts.path().join("old")).expect("target/ can be written");
    fs::rename(&draft, environment).expect("target/ can be written");
}
