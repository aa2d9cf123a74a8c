//! RSA signatures alone, on a Cortex-M4 in an emulator: right, counted, and without a trace.

mod report;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::{host_cargo, manifest};
use crate::failure::{Context, Failure, fail};
use crate::process::Run;
use crate::{paths, thumb};
use report::{Kernels, Report};

/// Builds the image with either kind of kernels, runs both, prints the numbers and judges them.
pub(crate) fn run() -> Result<(), Failure> {
    let cases = write_cases()?;
    let reports = Kernels::ALL.map(|kernels| count(kernels, &cases));
    let [portable, umaal] = reports;
    let reports = [portable?, umaal?];
    report::print(&reports);
    let broken: Vec<_> = reports.iter().flat_map(Report::broken_rules).collect();
    if broken.is_empty() {
        return Ok(());
    }
    fail!("{}", broken.join("\n"))
}

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

/// Builds one image and runs it.
fn count(kernels: Kernels, cases: &PathBuf) -> Result<Report, Failure> {
    let (how, cargo) = thumb::toolchain()?;
    println!("toolchain for {}: {how}", thumb::TARGET);
    let folder = paths::target().join("firmware-thumb");
    let build = on(cargo.arg("build"), kernels, cases).env("CARGO_TARGET_DIR", &folder);
    build.show_and_stream()?;
    let image = folder.join(thumb::TARGET).join("release/mps2-an386-rsa");
    // One instruction is 2^7 ns of the board's time: the image's timer is built on that.
    let mut emulator = Run::new("qemu-system-arm")
        .words("-machine mps2-an386 -icount shift=7 -nographic -monitor none -serial none")
        .words("-semihosting-config enable=on,target=native -kernel")
        .arg(image)
        .limit(Duration::from_secs(600).saturating_mul(1 + generated_keys(kernels)));
    println!("$ {}", emulator.shown());
    Report::read(kernels, &emulator.capture()?.text())
}

/// Clippy on the image, with either kind of kernels.
pub(super) fn lint() -> Result<(), Failure> {
    let cases = write_cases()?;
    for kernels in Kernels::ALL {
        let (_, clippy) = thumb::clippy()?;
        on(clippy, kernels, &cases)
            .env("CARGO_TARGET_DIR", paths::target().join("firmware-clippy"))
            .words("-- -D warnings")
            .stream()?;
    }
    Ok(())
}

/// Keys that the image generates of each size: one, or as many as `PRIVYSEAL_BENCH_KEYS` says.
fn generated_keys(kernels: Kernels) -> u32 {
    match kernels {
        Kernels::Portable => 0,
        Kernels::Umaal => {
            let keys = env::var("PRIVYSEAL_BENCH_KEYS").ok();
            keys.and_then(|keys| keys.parse().ok()).unwrap_or(1)
        }
    }
}

/// A cargo command on the image.
fn on(cargo: Run, kernels: Kernels, cases: &PathBuf) -> Run {
    cargo
        .args(["--release", "--target", thumb::TARGET])
        .args(["--package", "privyseal-firmware-mps2-an386"])
        .args(["--bin", "mps2-an386-rsa", "--no-default-features"])
        .args(["--features", kernels.features()])
        .arg("--manifest-path")
        .arg(manifest())
        .env("PRIVYSEAL_BENCH_CASES", cases)
        .env("PRIVYSEAL_BENCH_KEYS", generated_keys(kernels).to_string())
        .limit(Duration::from_secs(15 * 60))
}
