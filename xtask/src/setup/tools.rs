//! Cargo commands of others, each at one version, in `target/tools`.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::paths;
use crate::process::Run;

/// A command and its version.
pub(crate) type Tool = (&'static str, &'static str);

/// Holds `deny.toml`. Built without optimisation, in two minutes of one processor; it runs for seconds.
pub(crate) const DENY: Tool = ("cargo-deny", "0.20.2");

/// Where it lies once installed.
pub(crate) fn path((name, _): Tool) -> PathBuf {
    folder().join("bin").join(name)
}

/// Builds it, unless it is there.
pub(super) fn install(tool: Tool) -> Result<(), Failure> {
    let (name, version) = tool;
    let found = Run::new(path(tool)).arg("--version").capture();
    if found.is_ok_and(|said| said.text().trim().ends_with(version)) {
        return Ok(());
    }
    println!("installing {name} {version}, which takes a minute or two");
    let install = Run::cargo("install --quiet --locked --force --debug --root").arg(folder());
    let install = install.arg(format!("{name}@{version}"));
    install.env("CARGO_PROFILE_DEV_DEBUG", "false").stream()
}

fn folder() -> PathBuf {
    paths::target().join("tools")
}
