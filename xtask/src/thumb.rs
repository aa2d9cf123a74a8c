//! What builds for the microcontroller.

use std::path::Path;

use crate::failure::{Failure, fail};
use crate::paths;
use crate::process::Run;

/// Cortex-M4 and M7 with a floating point unit.
pub(crate) const TARGET: &str = "thumbv7em-none-eabihf";

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// The clippy that Debian's `rust-web-clippy` brings.
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";

/// The library source that Debian's `rust-web-src` brings.
const DEBIAN_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/core/Cargo.toml";

/// What the two toolchains are called.
const RUSTUP: &str = "rustup's target";
const DEBIAN: &str = "Debian's toolchain and its library source";

/// A cargo that can build for the target, and whose it is.
pub(crate) fn toolchain() -> Result<(&'static str, Run), Failure> {
    if has_rustup_target() {
        Ok((RUSTUP, Run::cargo("")))
    } else if has_debian_toolchain() {
        Ok((DEBIAN, debian(DEBIAN_CARGO)))
    } else {
        fail!(
            "no toolchain for {TARGET}: run `rustup target add {TARGET}`, \
             or `cargo xtask setup` on Debian"
        )
    }
}

/// Whose toolchain builds for the target, and the compiler's words for itself.
pub(crate) fn described() -> Result<String, Failure> {
    let (how, _) = toolchain()?;
    let rustc = if how == RUSTUP { "rustc" } else { DEBIAN_RUSTC };
    let version = Run::new(rustc).arg("--version").capture()?.text();
    Ok(format!("{how}: {}", version.trim()))
}

/// A clippy that can look at what is built for the target, and whose it is.
pub(crate) fn clippy() -> Result<(&'static str, Run), Failure> {
    if has_rustup_target() {
        Ok((RUSTUP, Run::cargo("clippy")))
    } else if has_debian_toolchain() && Path::new(DEBIAN_CLIPPY).is_file() {
        // Not by way of cargo, which would take rustup's.
        let clippy = debian(DEBIAN_CLIPPY).arg("clippy");
        Ok((DEBIAN, clippy.env("CARGO", DEBIAN_CARGO)))
    } else {
        fail!(
            "no clippy for {TARGET}: run `rustup target add {TARGET}`, or `cargo xtask setup` on Debian"
        )
    }
}

/// A program of Debian's toolchain, which builds the core library for the target from its source. RUSTC must
/// be named, or cargo takes rustup's rustc, which has no source.
fn debian(program: &str) -> Run {
    Run::new(program)
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "core")
        .env("CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER", "ld.lld")
        .env_remove("RUSTUP_TOOLCHAIN")
}

/// Whether the running toolchain has the target's libraries.
pub(crate) fn has_rustup_target() -> bool {
    let list = Run::new("rustup")
        .args(["target", "list", "--installed"])
        .capture();
    list.is_ok_and(|list| list.text().lines().any(|line| line.trim() == TARGET))
}

/// Whether Debian's toolchain can build the target's libraries.
pub(crate) fn has_debian_toolchain() -> bool {
    let files = [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_SOURCE];
    files.iter().all(|file| Path::new(file).is_file()) && paths::on_path("ld.lld").is_some()
}
