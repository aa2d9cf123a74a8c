//! Cargo commands of others, each at one version, in `target/tools`.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::paths;
use crate::process::Run;

/// A command, its version, and how its features are chosen.
pub(crate) type Tool = (&'static str, &'static str, &'static str);

/// Holds `deny.toml`. Built without optimisation, in two minutes of one processor; it runs for seconds.
pub(crate) const DENY: Tool = ("cargo-deny", "0.20.2", "");

/// Builds the book; without what serves it.
pub(crate) const BOOK: Tool = ("mdbook", "0.5.4", "--no-default-features");

/// Makes the Debian package.
pub(crate) const DEB: Tool = ("cargo-deb", "3.8.0", "--no-default-features");

/// Writes the bill of materials.
pub(crate) const SBOM: Tool = ("cargo-cyclonedx", "0.5.9", "");

/// Changes code to see whether a test notices.
pub(crate) const MUTANTS: Tool = ("cargo-mutants", "27.1.0", "");

/// Where it is: on `PATH`, if it is that version there, else in our own folder once it is installed.
pub(crate) fn path(tool: Tool) -> PathBuf {
    let on_path = paths::on_path(tool.0).filter(|path| is_version(path, tool));
    on_path.unwrap_or_else(|| folder().join("bin").join(tool.0))
}

fn is_version(path: &Path, (_, version, _): Tool) -> bool {
    let said = Run::new(path).arg("--version").capture();
    said.is_ok_and(|said| said.text().trim().ends_with(version))
}

/// Builds it, unless it is there.
pub(super) fn install(tool: Tool) -> Result<(), Failure> {
    if is_version(&path(tool), tool) {
        return Ok(());
    }
    let (name, version, features) = tool;
    println!("installing {name} {version}, which takes a minute or two");
    let install = Run::cargo("install --quiet --locked --force --debug --root").arg(folder());
    let install = install.words(features);
    let install = install.arg(format!("{name}@{version}"));
    install.env("CARGO_PROFILE_DEV_DEBUG", "false").stream()
}

fn folder() -> PathBuf {
    paths::target().join("tools")
}
