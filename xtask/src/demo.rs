//! The whole pipeline, step by step, with a throw-away token under `target/demo`: a script, so that each command stands in
//! it as one would type it. What it prints is kept as `docs/pictures/demo.txt`, and a picture of it is in the documents.

mod recording;

use std::fs;
use std::path::Path;

use clap::Args;

use crate::failure::{Context, Failure, fail};
use crate::process::Run;
use crate::setup::{self, Need};
use crate::{paths, pictures};

/// What becomes of what it prints.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Options {
    /// Keep it for the picture in the documents
    #[arg(long)]
    record: bool,
    /// Fail where the picture shows something else
    #[arg(long)]
    check: bool,
}

/// Runs the demonstration.
pub(crate) fn run(options: Options) -> Result<(), Failure> {
    setup::run(&[Need::Token])?;
    println!("building the commands ..");
    // As tests build them, so that nothing is built twice.
    Run::cargo("build --quiet --workspace --bin privyseal --bin test-pki --bin fiam-server")
        .stream()?;
    let mut lines = Vec::new();
    script("demo.sh", &paths::target().join("demo"))?.tee(|line| lines.push(line.to_owned()))?;
    let shown = recording::of(&lines);
    let path = pictures::demo_session();
    if options.record {
        fs::write(&path, shown.join("\n") + "\n").context(paths::shown(&path))?;
        return pictures::run();
    }
    let kept = fs::read_to_string(&path).context(paths::shown(&path))?;
    let kept: Vec<_> = kept.lines().map(str::to_owned).collect();
    match recording::difference(&kept, &shown) {
        Some(line) if options.check => {
            fail!("its picture is old (`cargo xtask demo --record`): it has not\n  {line}")
        }
        _ => Ok(()),
    }
}

/// Makes a token with a key and its chain in `folder`, quietly; beside them are `softhsm2.conf`, `pin` and `key-uri`.
pub(crate) fn make_token(folder: &Path) -> Result<(), Failure> {
    Run::cargo("build --workspace --bin test-pki").stream()?;
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
