//! Every test of the workspace, counted: a test that did not run is not a test that passed.

mod claims;
mod count;
mod programs;

use clap::Args;

use crate::failure::Failure;
use crate::firmware;
use crate::page;
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};
use crate::steps::Steps;
use count::Count;

/// How to run the tests.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only tests whose name contains this; leaves the firmware out
    #[arg(long, value_name = "PART")]
    filter: Option<String>,
}

/// Sets up, tests, and sums it all up.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::run(Need::TEST)?;
    let mut steps = Steps::default();
    let mut count = Count::default();
    steps.step("build the commands and libraries that tests use", || {
        Run::cargo("build --workspace --bins --lib").stream()
    });
    if options.filter.is_none() {
        steps.step("images of the firmware", firmware::build_all);
    }
    steps.step("build the second PKCS#11 module", kryoptic);
    steps.step("the page", page::run);
    steps.step("tests of the workspace", || {
        programs::run(options.filter.as_deref(), |line| count.add(line))
    });
    if options.filter.is_none() {
        steps.step("tests of the firmware", || {
            firmware::host_tests().tee(|line| count.add(line))
        });
        steps.step(
            "the same image from another folder",
            firmware::same_elsewhere,
        );
        steps.step("sizes of the firmware", firmware::sizes);
    } else {
        println!("\nnot run with --filter: the firmware");
    }
    steps.step("count of the tests", || count.judge());
    if options.filter.is_none() {
        steps.step("claims and their tests", || claims::check(&count.names));
    }
    steps.finish()
}

/// A workspace of its own, so that no other build waits for it. Tests would build it too, unseen.
fn kryoptic() -> Result<(), Failure> {
    let build = Run::cargo("build --locked --manifest-path host-tests/kryoptic-module/Cargo.toml");
    build
        .arg("--target-dir")
        .arg(paths::target().join("kryoptic"))
        .stream()
}
