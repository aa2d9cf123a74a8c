//! The whole pipeline, step by step, with a throw-away token under `target/demo`: a script, so that each command stands in
//! it as one would type it.

use std::path::Path;

use crate::failure::Failure;
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};

/// Runs the demonstration.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(&[Need::Token])?;
    println!("building the commands ..");
    Run::cargo("build --quiet --bins --package privyseal-cli --package privyseal-test-pki --package privyseal-test-servers")
        .stream()?;
    script("demo.sh", &paths::target().join("demo"))?.stream()
}

/// Makes a token with a key and its chain in `folder`, quietly; beside them are `softhsm2.conf`, `pin` and `key-uri`.
pub(crate) fn make_token(folder: &Path) -> Result<(), Failure> {
    Run::cargo("build --package privyseal-test-pki --bin test-pki").stream()?;
    script("make-token.sh", folder)?.stream()
}

/// A script of `host-tests/demo`, for a token in `folder`.
fn script(name: &str, folder: &Path) -> Result<Run, Failure> {
    let script = paths::root().join("host-tests/demo").join(name);
    let module = paths::softhsm_module()?;
    let built = paths::target().join("debug");
    Ok(Run::new("bash")
        .arg(script)
        .arg(folder)
        .arg(built)
        .arg(module))
}
