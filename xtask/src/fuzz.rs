//! Fuzzes every parser for a bounded time. It needs a nightly compiler; where there is none the targets are compiled and
//! the run is skipped, and says so: that is not the same as passed.

use std::fs;
use std::time::Duration;

use clap::Args;

use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::{BUILD, Run};
use crate::steps::Steps;

/// One for each file of `host-tests/fuzz/fuzz_targets`.
const TARGETS: [&str; 5] = [
    "token_check",
    "certificate",
    "json_responses",
    "pkcs11_uri",
    "device_frames",
];

/// How long to fuzz.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only this target
    #[arg(long, value_parser = TARGETS)]
    target: Option<String>,
}

/// Builds the targets and runs each for its time; a crash is a failure.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if Run::cargo_of("nightly", "--version").capture().is_err() {
        println!(
            "SKIPPED, nothing was fuzzed: there is no nightly compiler (`rustup toolchain install nightly`); \
             whether the targets compile is checked"
        );
        return Run::cargo("check --manifest-path host-tests/fuzz/Cargo.toml").stream();
    }
    if Run::cargo_of("nightly", "fuzz --version")
        .capture()
        .is_err()
    {
        println!("installing cargo-fuzz, which takes a minute or two");
        Run::cargo("install cargo-fuzz --locked").stream()?;
    }
    let mut steps = Steps::default();
    let chosen = |target: &&&str| {
        options
            .target
            .as_deref()
            .is_none_or(|only| only == **target)
    };
    for target in TARGETS.iter().filter(chosen) {
        steps.step(target, || fuzz(target, options.seconds));
    }
    steps.finish()
}

fn fuzz(target: &str, seconds: u64) -> Result<(), Failure> {
    let corpus = paths::root().join("host-tests/fuzz/corpus").join(target);
    fs::create_dir_all(&corpus).context(format_args!("cannot make {}", paths::shown(&corpus)))?;
    Run::cargo_of(
        "nightly",
        "fuzz run --fuzz-dir host-tests/fuzz --sanitizer none",
    )
    .arg(target)
    // The first directory grows, the second is read.
    .arg(&corpus)
    .arg(paths::root().join("host-tests/fuzz/seeds").join(target))
    .arg("--")
    .arg(format!("-max_total_time={seconds}"))
    // An input longer than the longest token says nothing new.
    .words("-max_len=65536 -timeout=10 -print_final_stats=1 -verbosity=0")
    .limit(BUILD + Duration::from_secs(seconds))
    .stream()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_run() {
        let files =
            fs::read_dir(paths::root().join("host-tests/fuzz/fuzz_targets")).expect("the targets");
        let mut found: Vec<_> = files
            .map(|file| file.expect("a file").path())
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        found.sort();
        let mut expected = TARGETS;
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}
