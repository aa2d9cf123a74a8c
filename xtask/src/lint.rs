//! What a reviewer should not have to say: arrows, formatting, lints, documentation, dependencies.

mod crates;
mod deny;
pub(crate) mod layers;
mod modules;
mod source;

use clap::Args;

use crate::failure::Failure;
use crate::process::Run;
use crate::steps::Steps;
use crate::{api, book, firmware};

/// What to look at.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Only the arrows between crates and between modules, which takes a second
    #[arg(long)]
    arrows: bool,
}

/// Runs all of it and fails once.
pub(crate) fn run(options: Options) -> Result<(), Failure> {
    let mut steps = Steps::default();
    steps.step("arrows between crates", crates::check);
    steps.step("arrows between modules", modules::check);
    if options.arrows {
        return steps.finish();
    }
    steps.step("crates that PKCS #11 alone needs", crates::count);
    steps.step("dependencies against deny.toml", deny::check);
    let mut cargo = |name, words| steps.step(name, || Run::cargo(words).stream());
    cargo("formatting", "fmt --all --check");
    cargo("clippy", "clippy --workspace --all-targets -- -D warnings");
    // Brings its own libusb where the machine has none, so it needs a C compiler and nothing else.
    cargo(
        "clippy of a YubiHSM on the USB bus",
        "clippy --package privyseal-yubihsm --all-targets --features usb -- -D warnings",
    );
    steps.step("formatting and clippy of the firmware", firmware::lint);
    steps.step("documentation and the public API", api::check);
    steps.step("the book", book::run);
    steps.finish()
}
