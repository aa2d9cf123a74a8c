//! The conformance corpus for receivers, written where other implementers want it.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The file
    #[arg(default_value = "target/corpus.json")]
    file: PathBuf,
}

/// Writes it.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::run(&[Need::Python])?;
    Run::new(paths::target().join("python-venv/bin/python"))
        .arg(paths::root().join("host-tests/python/corpus.py"))
        .arg(&options.file)
        .show_and_stream()
}
