//! The gateway's firmware: its own workspace, its tests on the host, its images in an emulator.

mod baseline;
mod hash;
mod image;
mod maker;
mod reproducible;
mod rsa;
mod run;
mod sizes;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::failure::{Context, Failure, fail};
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};
use crate::steps::Steps;

pub(crate) use hash::compare as same_elsewhere;
pub(crate) use reproducible::as_rustc;
pub(crate) use sizes::check as sizes;

/// What one can do with the firmware.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Firmware {
    /// Build images: those that one flashes, those for the emulator, those for tests
    Build {
        /// Only these
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// The SHA-256 of each image, as a device says it: the same from any folder
    Hash {
        /// Build the one that is flashed from another folder as well, and compare
        #[arg(long)]
        elsewhere: bool,
    },
    /// Run the gateway in an emulator, with its serial line on a unix socket
    Run(run::Options),
    /// The firmware's tests: on the host, in the emulator, the sizes, and the search for panics
    Test,
    /// Flash and RAM of each image, by section, and the stack of an answer, beside those in
    /// firmware/sizes.toml
    Sizes(sizes::Options),
    /// Show that no panic, allocator or debugger's console is left in the image that one flashes, or who can
    /// still reach a panic
    NoPanic,
    /// Count the instructions of RSA signatures on a Cortex-M4 (in QEMU); fails unless they are right, equal
    /// across keys and messages, and leave no secret behind
    Rsa,
    /// Leave out one instruction at a time of what requests execute, on both boards: hours; what was tried before on
    /// the same image is not tried again. Reports are in target/skips
    Faults(Faults),
}

/// Which faults.
#[derive(Clone, Debug, Args)]
pub(crate) struct Faults {
    /// Every so many-th point
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    step: u32,
    /// The first one
    #[arg(long, default_value_t = 0)]
    from: u32,
    /// One instruction left out, two in a row, or one bit flipped of what a comparison or a branch decides by
    #[arg(long, default_value = "skip", value_parser = ["skip", "skip-two", "flip"])]
    model: String,
    /// The folder of images that were built before; else they are built first
    #[arg(long)]
    images: Option<PathBuf>,
}

/// Sets up and runs one of them.
pub(crate) fn run(command: &Firmware) -> Result<(), Failure> {
    let needs: &[Need] = match command {
        Firmware::Build { .. } | Firmware::Hash { .. } | Firmware::NoPanic => &[Need::Thumb],
        Firmware::Run(_) | Firmware::Rsa => &[Need::Thumb, Need::Emulator],
        Firmware::Test | Firmware::Sizes(_) | Firmware::Faults(_) => {
            &[Need::Thumb, Need::Emulator, Need::Token]
        }
    };
    setup::run(needs)?;
    let mut steps = Steps::default();
    match command {
        Firmware::Build { images } => return build(images),
        Firmware::Hash { elsewhere: true } => return hash::compare(),
        Firmware::Hash { .. } => return hash::run(),
        Firmware::Run(options) => return run::run(options),
        Firmware::Test => test(&mut steps),
        Firmware::Sizes(options) => steps.step("sizes of the firmware", || sizes::run(*options)),
        Firmware::NoPanic => emulator_tests(&mut steps, "panics in the firmware", "--test images"),
        Firmware::Rsa => emulator_tests(
            &mut steps,
            "RSA on a Cortex-M4 (QEMU)",
            "--test rsa_qemu -- --nocapture",
        ),
        Firmware::Faults(wish) => steps.step("faults in instructions (QEMU)", || faults(wish)),
    }
    steps.finish()
}

fn faults(wish: &Faults) -> Result<(), Failure> {
    let words =
        "test --package privyseal-emulator-tests --test gateway_qemu -- skips:: --nocapture";
    let mut test = Run::cargo(words)
        .env("PRIVYSEAL_SKIPS", format!("{}/{}", wish.from, wish.step))
        .env("PRIVYSEAL_FAULT", &wish.model);
    if let Some(images) = &wish.images {
        let images = images.canonicalize().context(paths::shown(images))?;
        test = test.env("PRIVYSEAL_IMAGES", images);
    }
    test.limit(Duration::from_secs(24 * 3600)).stream()
}

/// Builds all images, and those that count.
pub(crate) fn build_all() -> Result<(), Failure> {
    build(&[])
}

/// The same for some, or for all where none is named. Test programs that run at once ask for it at once: one builds, and
/// the other then finds everything built.
fn build(names: &[String]) -> Result<(), Failure> {
    let all = image::ALL.iter().map(|image| image.name);
    let all: Vec<_> = all.chain(rsa::IMAGES).collect();
    if let Some(other) = names.iter().find(|name| !all.contains(&name.as_str())) {
        return fail!("no image {other}: {}", all.join(", "));
    }
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|it| it == name);
    let place = paths::target().join("firmware-images.lock");
    let lock = File::create(&place).context(paths::shown(&place))?;
    lock.lock().context(paths::shown(&place))?;
    image::build(is_wanted)?;
    rsa::build(is_wanted)
}

fn test(steps: &mut Steps) {
    steps.step("images of the firmware", build_all);
    steps.step("tests on the host", || host_tests().stream());
    steps.step("the same image from another folder", hash::compare);
    steps.step("sizes of the firmware", sizes::check);
    emulator_tests(steps, "the images, and the gateway in the emulator", "");
}

fn emulator_tests(steps: &mut Steps, name: &str, words: &str) {
    let test = Run::cargo("test --package privyseal-emulator-tests").words(words);
    steps.step(name, || test.stream());
}

/// The firmware's tests that need no emulator.
pub(crate) fn host_tests() -> Run {
    host_cargo("test --no-fail-fast").words(FOR_THE_HOST)
}

/// Formatting of all of the firmware, clippy on what builds for the host, and on every image.
pub(crate) fn lint() -> Result<(), Failure> {
    let format = Run::cargo("fmt --all --check --manifest-path");
    format.arg(manifest()).stream()?;
    let clippy = host_cargo("clippy --all-targets").words(FOR_THE_HOST);
    clippy.words("-- -D warnings").stream()?;
    setup::run(&[Need::Thumb, Need::ThumbClippy])?;
    image::lint()?;
    rsa::lint()
}

/// What also runs on the host.
const FOR_THE_HOST: &str = "--package privyseal-firmware-app --package privyseal-firmware-rsa";

/// Cargo on the firmware's workspace, for the host, which the boards are not for.
fn host_cargo(words: &str) -> Run {
    Run::cargo(words)
        .arg("--manifest-path")
        .arg(manifest())
        .env("CARGO_TARGET_DIR", paths::target().join("firmware"))
}

fn manifest() -> PathBuf {
    paths::root().join("firmware/Cargo.toml")
}
