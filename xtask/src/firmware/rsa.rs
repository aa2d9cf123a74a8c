//! The images that count RSA signatures on a Cortex-M4, with either kind of inner loops; a test of
//! `privyseal-emulator-tests` runs and judges them.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::reproducible::reproducibly;
use super::{host_cargo, image::keep, manifest};
use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::{paths, thumb};

/// Safe Rust, and assembly around UMAAL: the feature that chooses it.
const KERNELS: [&str; 2] = ["portable", "umaal"];

/// The image with each.
pub(super) const IMAGES: [&str; 2] = ["bench-portable", "bench-umaal"];

/// The keys, digests and expected signatures, made by the `rsa` crate: a file under the build folder, so
/// that no private key is ever in the repository.
fn write_cases() -> Result<PathBuf, Failure> {
    let make = host_cargo("run --package privyseal-firmware-rsa");
    let mut make = make.words("--quiet --example bench_cases");
    println!("$ {}", make.shown());
    let cases = make.capture()?;
    let folder = paths::target().join("firmware");
    fs::create_dir_all(&folder).context(paths::shown(&folder))?;
    let file = folder.join("bench_cases.rs");
    // Left alone where it is the same, so that cargo has nothing to build again.
    if fs::read(&file).ok().as_ref() != Some(&cases.stdout) {
        fs::write(&file, &cases.stdout).context(paths::shown(&file))?;
    }
    Ok(file)
}

/// Builds those that are wanted.
pub(super) fn build(is_wanted: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let wanted = KERNELS.into_iter().zip(IMAGES);
    let wanted: Vec<_> = wanted.filter(|(_, image)| is_wanted(image)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let cases = write_cases()?;
    for (kernels, image) in wanted {
        let (_, cargo) = thumb::toolchain()?;
        let folder = paths::target().join("firmware-thumb");
        let build = on(cargo.arg("build"), kernels, &cases).env("CARGO_TARGET_DIR", &folder);
        reproducibly(build, &paths::root()).show_and_stream()?;
        keep("mps2-an386-rsa", image)?;
    }
    Ok(())
}

/// Clippy on the image, with either kind of kernels.
pub(super) fn lint() -> Result<(), Failure> {
    let cases = write_cases()?;
    for kernels in KERNELS {
        let (_, clippy) = thumb::clippy()?;
        on(clippy, kernels, &cases)
            .env("CARGO_TARGET_DIR", paths::target().join("firmware-clippy"))
            .words("-- -D warnings")
            .stream()?;
    }
    Ok(())
}

/// A cargo command on the image.
fn on(cargo: Run, kernels: &str, cases: &PathBuf) -> Run {
    // Keys that the image generates of each size: one, or as many as the caller says; none in portable code.
    let keys = env::var("PRIVYSEAL_BENCH_KEYS").unwrap_or_else(|_| "1".to_owned());
    let is_umaal = kernels == "umaal";
    cargo
        .args(["--release", "--target", thumb::TARGET])
        .args(["--package", "privyseal-firmware-mps2-an386"])
        .args(["--bin", "mps2-an386-rsa", "--no-default-features"])
        .args(["--features", if is_umaal { "rsa,umaal" } else { "rsa" }])
        .arg("--manifest-path")
        .arg(manifest())
        .env("PRIVYSEAL_BENCH_CASES", cases)
        .env("PRIVYSEAL_BENCH_KEYS", if is_umaal { &keys } else { "0" })
        .limit(Duration::from_secs(15 * 60))
}
