//! What users build and our own builds do not: each feature alone, the oldest compiler, the oldest dependencies,
//! Windows, macOS.
//!
//! `cargo check` only, and all in one build folder: they share what runs at build time. What a machine cannot get is
//! said in the output, and checked where it is there.

use crate::failure::{Failure, fail};
use crate::metadata::{self, Package};
use crate::process::Run;
use crate::setup::{self, Need};
use crate::steps::Steps;
use crate::{copy, paths};

/// Windows, by way of the GNU linker, whose C compiler is a Debian package.
const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MACOS: &str = "x86_64-apple-darwin";

/// Crates and features that need Unix: sockets, and libusb, which is built for it.
const UNIX_ONLY: &[&str] = &[
    "libprivyseal",
    "privyseal-agent",
    "privyseal-cli/agent",
    "privyseal-yubihsm/usb",
];

const CHECK: &str = "check --quiet";

/// Runs all of it and fails once.
pub(crate) fn run() -> Result<(), Failure> {
    let mut packages = metadata::packages("Cargo.toml")?;
    packages.retain(Package::is_published);
    let mut steps = Steps::default();
    steps.step("each feature alone", || features(&packages));
    steps.step("the oldest compiler", || oldest_compiler(&packages));
    steps.step("the oldest dependencies", || oldest_dependencies(&packages));
    steps.step("Windows", || windows(&packages));
    steps.step("macOS", || macos(&packages));
    steps.finish()
}

/// Each crate without features, and with each of them.
fn features(packages: &[Package]) -> Result<(), Failure> {
    for package in packages {
        let own = package.features.keys().filter(|name| *name != "default");
        for feature in [""].into_iter().chain(own.map(String::as_str)) {
            let check = check(Run::cargo(CHECK), [package]);
            let check = check.words("--no-default-features --features");
            check.arg(feature).show_and_stream()?;
        }
    }
    Ok(())
}

/// The compiler of `rust-version`, where rustup has it or can get it.
fn oldest_compiler(packages: &[Package]) -> Result<(), Failure> {
    let Some(version) = packages.iter().find_map(|it| it.rust_version.as_deref()) else {
        return fail!("no package has a rust-version");
    };
    let rustup = Run::new("rustup").words("toolchain install --profile minimal --no-self-update");
    if let Err(failure) = rustup.arg(version).limit(setup::DOWNLOAD).capture() {
        println!("NOT CHECKED: Rust {version}. {failure}");
        println!(
            "Clippy's incompatible_msrv, part of `cargo xtask lint`, knows of the standard library only"
        );
        return Ok(());
    }
    let check = check(Run::cargo_of(version, CHECK), packages);
    check.arg("--all-features").show_and_stream()
}

/// The lowest versions that the manifests allow of what they name, in a copy of the workspace.
fn oldest_dependencies(packages: &[Package]) -> Result<(), Failure> {
    let manifest = copy::of_workspace("oldest-dependencies")?.join("Cargo.toml");
    // The option is unstable; the build that follows it is not.
    let update = Run::cargo("update --quiet -Zdirect-minimal-versions --manifest-path");
    update.arg(&manifest).env("RUSTC_BOOTSTRAP", "1").stream()?;
    let check = check(Run::cargo(CHECK), packages).words("--all-features --manifest-path");
    let check = check.arg(manifest).arg("--target-dir").arg(paths::target());
    check.show_and_stream()
}

/// The crates for Windows, where rustup has the target and there is a C compiler for `ring`.
fn windows(packages: &[Package]) -> Result<(), Failure> {
    let ready = setup::add_rustup_target(WINDOWS).and_then(|()| setup::run(&[Need::Windows]));
    if let Err(failure) = ready {
        println!("NOT CHECKED: Windows. {failure}");
        return Ok(());
    }
    let mut features = Vec::new();
    let mut there = Vec::new();
    for package in packages {
        if UNIX_ONLY.contains(&package.name.as_str()) {
            continue;
        }
        let own = package.features.keys().filter(|name| *name != "default");
        let named = own.map(|feature| format!("{}/{feature}", package.name));
        features.extend(named.filter(|name| !UNIX_ONLY.contains(&name.as_str())));
        there.push(package);
    }
    println!(
        "NOT CHECKED: for Windows, what needs Unix: {}",
        UNIX_ONLY.join(", ")
    );
    let check = check(Run::cargo(CHECK), there).words("--no-default-features --features");
    let check = check.arg(features.join(",")).args(["--target", WINDOWS]);
    check.show_and_stream()
}

/// The crates for macOS, where rustup has the target. A check links nothing, so that no C compiler is needed.
fn macos(packages: &[Package]) -> Result<(), Failure> {
    if let Err(failure) = setup::add_rustup_target(MACOS) {
        println!("NOT CHECKED: macOS. {failure}");
        return Ok(());
    }
    let check = check(Run::cargo(CHECK), packages).words("--all-features --target");
    let tools = ["CC_x86_64_apple_darwin", "AR_x86_64_apple_darwin"];
    let check = tools
        .iter()
        .fold(check.arg(MACOS), |check, name| check.env(name, "true"));
    check.show_and_stream()
}

fn check<'a>(cargo: Run, packages: impl IntoIterator<Item = &'a Package>) -> Run {
    let names = packages.into_iter().flat_map(|it| ["--package", &it.name]);
    cargo.args(names)
}
