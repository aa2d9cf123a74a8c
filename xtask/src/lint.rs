//! What a reviewer should not have to say: formatting, lints, documentation, dependencies.

use crate::deps;
use crate::failure::Failure;
use crate::firmware;
use crate::process::Run;
use crate::steps::Steps;

/// Runs all of it and fails once.
pub(crate) fn run() -> Result<(), Failure> {
    let mut steps = Steps::default();
    steps.step("dependencies against deny.toml", deps::check);
    steps.step("formatting", || {
        Run::cargo().args(["fmt", "--all", "--check"]).stream()
    });
    steps.step("clippy", || {
        let words = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        Run::cargo().args(words).stream()
    });
    // Brings its own libusb where the machine has none, so it needs a C compiler and nothing else.
    steps.step("clippy of a YubiHSM on the USB bus", || {
        let words = ["clippy", "--package", "privyseal-yubihsm", "--all-targets"];
        let usb = ["--features", "usb", "--", "-D", "warnings"];
        Run::cargo().args(words).args(usb).stream()
    });
    steps.step("formatting and clippy of the firmware", firmware::lint);
    steps.step("documentation", || {
        let doc = Run::cargo().args(["doc", "--workspace", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-D warnings").stream()
    });
    steps.finish()
}
