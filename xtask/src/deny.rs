//! cargo-deny, for those who have it: it reads the same `deny.toml` and asks the `RustSec` database.

use crate::deps::MANIFESTS;
use crate::failure::{Failure, fail};
use crate::paths;
use crate::process::Run;

/// Runs `cargo deny check` with everything in it.
pub(crate) fn run() -> Result<(), Failure> {
    if paths::on_path("cargo-deny").is_none() {
        return fail!("cargo-deny is not installed; `cargo install --locked cargo-deny` brings it");
    }
    for manifest in MANIFESTS {
        let whole = ["deny", "--all-features", "--manifest-path", manifest];
        Run::cargo()
            .args(whole)
            .args(["check", "--config", "deny.toml"])
            .stream()?;
    }
    Ok(())
}
