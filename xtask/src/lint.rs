//! What a reviewer should not have to say: formatting, lints, documentation, dependencies.

use crate::deps;
use crate::failure::Failure;
use crate::firmware;
use crate::process::Run;
use crate::tally::Tally;

/// Runs all of it and fails once.
pub(crate) fn run() -> Result<(), Failure> {
    let mut tally = Tally::default();
    tally.step("dependencies against deny.toml", deps::check);
    tally.step("formatting", || {
        Run::cargo().args(["fmt", "--all", "--check"]).stream()
    });
    tally.step("clippy", || {
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
    tally.step("clippy of a YubiHSM on the USB bus", || {
        let words = ["clippy", "--package", "privyseal-yubihsm", "--all-targets"];
        let usb = ["--features", "usb", "--", "-D", "warnings"];
        Run::cargo().args(words).args(usb).stream()
    });
    tally.step("formatting and clippy of the firmware", firmware::lint);
    tally.step("documentation", || {
        let doc = Run::cargo().args(["doc", "--workspace", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-D warnings").stream()
    });
    tally.finish()
}
