//! Fuzzes every parser for a bounded time. It needs a nightly compiler; where there is none the targets are compiled and
//! the run is skipped, and says so: that is not the same as passed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::failure::{Context, Failure, fail};
use crate::paths;
use crate::process::{BUILD, Run};
use crate::setup::{self, Need};
use crate::steps::Steps;

/// What it finds may be OpenSSL's own way, which a person must tell: where it is not asked for by name, only what is known
/// is tried again.
const COMPARED: &str = "paths";

/// How long to fuzz.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only this target
    #[arg(long)]
    target: Option<String>,
    /// Keep in the repository what covers most, so that other runs begin there
    #[arg(long)]
    keep: bool,
}

/// Builds the targets and runs each for its time; a crash is a failure.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::run(&[Need::Fuzz])?;
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
    for target in targets(options.target.as_deref())? {
        steps.step(&target, || fuzz(&target, options));
    }
    steps.finish()
}

/// Each file of `host-tests/fuzz/fuzz_targets`, or the one that is meant.
fn targets(only: Option<&str>) -> Result<Vec<String>, Failure> {
    let folder = paths::root().join("host-tests/fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).context(paths::shown(&folder))?;
    let names = files.filter_map(|file| Some(file.ok()?.path().file_stem()?.to_str()?.to_owned()));
    let mut targets: Vec<_> = names
        .filter(|name| only.is_none_or(|only| only == name))
        .collect();
    if targets.is_empty() {
        return fail!("no such target in {}", paths::shown(&folder));
    }
    targets.sort();
    Ok(targets)
}

/// Where a target's inputs are.
struct Inputs {
    /// What is found here; it is not kept.
    corpus: PathBuf,
    /// By hand, one for each kind.
    seeds: PathBuf,
    /// What former runs found, packed; a run begins where they ended.
    kept: PathBuf,
}

impl Inputs {
    fn of(target: &str) -> Result<Self, Failure> {
        let folder = paths::root().join("host-tests/fuzz");
        let inputs = Self {
            corpus: folder.join("corpus").join(target),
            seeds: folder.join("seeds").join(target),
            kept: folder.join("kept").join(target).with_extension("tar.gz"),
        };
        make(&inputs.corpus)?;
        if inputs.kept.is_file() {
            let unpack = Run::new("tar").arg("-xzf").arg(&inputs.kept);
            unpack.arg("-C").arg(&inputs.corpus).stream()?;
        }
        Ok(inputs)
    }

    /// Packs the smallest set of short inputs that cover what all of them do.
    fn keep(&self, target: &str) -> Result<(), Failure> {
        let best = self.corpus.with_extension("best");
        if best.is_dir() {
            fs::remove_dir_all(&best).context("cannot remove what another run left")?;
        }
        make(&best)?;
        let merge = libfuzzer(target)
            .arg(&best)
            .arg(&self.seeds)
            .arg(&self.corpus);
        merge
            .words("-- -merge=1 -max_len=1024 -timeout=10 -verbosity=0")
            .limit(BUILD)
            .stream()?;
        if let Some(folder) = self.kept.parent() {
            make(folder)?;
        }
        // The same inputs make the same file.
        let pack =
            Run::new("tar").words("--sort=name --owner=0 --group=0 --numeric-owner --mtime=@0");
        let pack = pack.args(["--use-compress-program=gzip -9n", "-cf"]);
        let pack = pack.arg(&self.kept).arg("-C").arg(&best);
        pack.arg(".").stream()
    }
}

fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).context(format_args!("cannot make {}", paths::shown(folder)))
}

fn libfuzzer(target: &str) -> Run {
    let words = "fuzz run --fuzz-dir host-tests/fuzz --sanitizer none";
    Run::cargo_of("nightly", words).arg(target)
}

fn fuzz(target: &str, options: &Options) -> Result<(), Failure> {
    let (inputs, seconds) = (Inputs::of(target)?, options.seconds);
    libfuzzer(target)
        // The first directory grows, the second is read.
        .arg(&inputs.corpus)
        .arg(&inputs.seeds)
        .arg("--")
        .arg(if target == COMPARED && options.target.is_none() {
            "-runs=0".to_owned()
        } else {
            format!("-max_total_time={seconds}")
        })
        // An input longer than the longest token says nothing new.
        .words("-max_len=65536 -timeout=10 -print_final_stats=1 -verbosity=0")
        .limit(BUILD + Duration::from_secs(seconds))
        .stream()?;
    if options.keep {
        inputs.keep(target)
    } else {
        Ok(())
    }
}
