//! Tests that load SoftHSM's module into their own process.
//!
//! The module reads `SOFTHSM2_CONF` when it is initialized, and a process initializes it once. So
//! each such test runs in a process of its own, in which that variable was set from the start:
//! setting it later is unsound in a process with threads, and the tests would share a token.

use std::env;
use std::process::Command;

use tempfile::TempDir;

use super::SoftHsmToken;
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_base::tool::{LONG_LIMIT, output_within};

/// Names the test that runs in this process.
const MARKER: &str = "PRIVYSEAL_TEST_IN_OWN_PROCESS";

/// The label of the token that the test gets.
const LABEL: &str = "suite";

/// Runs `test` in a process of its own, with a token whose module this process may load. `name` is
/// the test's path, as `cargo test -- --list` shows it.
///
/// # Panics
/// If the test fails there, with what it printed.
pub fn in_own_process(name: &str, test: impl FnOnce(&SoftHsmToken)) {
    if env::var(MARKER).is_ok_and(|running| running == name) {
        let configuration = env::var_os("SOFTHSM2_CONF").expect("set by the parent");
        let dir = std::path::Path::new(&configuration)
            .parent()
            .expect("a file in a directory");
        return test(&SoftHsmToken::attach(dir, LABEL));
    }
    let dir =
        TempDir::with_prefix_in("softhsm-", cache_dir("tmp")).expect("target/ can be written");
    let token = SoftHsmToken::init(dir, LABEL);
    let child = output_within(
        LONG_LIMIT,
        Command::new(env::current_exe().expect("this test has a path"))
            .args(["--exact", name, "--nocapture"])
            .env(MARKER, name)
            .env("SOFTHSM2_CONF", token.configuration()),
        b"",
    );
    let stdout = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && stdout.contains("1 passed"),
        "{name} failed in its own process ({}):\n{stdout}{}",
        child.status,
        String::from_utf8_lossy(&child.stderr),
    );
}
