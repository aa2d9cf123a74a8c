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
    tally.step("formatting and clippy of the firmware", firmware::lint);
    tally.step("documentation", || {
        let doc = Run::cargo().args(["doc", "--workspace", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-D warnings").stream()
    });
    tally.finish()
}
