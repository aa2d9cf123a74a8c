//! Counter-examples: the product is broken on purpose, in a copy, and the proof of what it breaks must turn red.
//!
//! `host-tests/broken/*.patch` are unified diffs, below three lines: `Breaks:` what is no longer true, `Proof:` the
//! command that must fail, `Says:` what it must say.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Context, Failure, fail};
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};
use crate::steps::Steps;

/// Which ones to try.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only those whose file name contains this
    #[arg(long, value_name = "PART")]
    filter: Option<String>,
}

/// Applies each patch alone and fails unless every proof did.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::run(&[Need::Patch])?;
    let folder = paths::root().join("host-tests/broken");
    let mut patches = Vec::new();
    for entry in fs::read_dir(&folder).context(paths::shown(&folder))? {
        let path = entry.context(paths::shown(&folder))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_meant = options
            .filter
            .as_ref()
            .is_none_or(|part| name.contains(part));
        if path.extension().is_some_and(|it| it == "patch") && is_meant {
            patches.push((name, path));
        }
    }
    patches.sort();
    if patches.is_empty() {
        return fail!("{}: no such patch", paths::shown(&folder));
    }
    let copy = copy()?;
    let mut steps = Steps::default();
    for (name, path) in &patches {
        steps.step(name, || try_one(&copy, path));
    }
    steps.finish()
}

/// The tree as it lies here. What is the same there keeps its time, so that only what a patch touches is built
/// again.
fn copy() -> Result<PathBuf, Failure> {
    let copy = paths::target().join("broken");
    mirror(&paths::root(), &copy)?;
    Ok(copy)
}

fn mirror(from: &Path, to: &Path) -> Result<(), Failure> {
    const LEFT_OUT: [&str; 3] = [".git", "target", "node_modules"];
    fs::create_dir_all(to).context(paths::shown(to))?;
    let names = |folder: &Path| -> Result<BTreeSet<OsString>, Failure> {
        let entries = fs::read_dir(folder).context(paths::shown(folder))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let names: BTreeSet<OsString> = names
            .collect::<Result<_, _>>()
            .context(paths::shown(folder))?;
        let is_left_out = |name: &OsString| LEFT_OUT.iter().any(|other| name == other);
        Ok(names
            .into_iter()
            .filter(|name| !is_left_out(name))
            .collect())
    };
    let ours = names(from)?;
    for gone in names(to)?.difference(&ours) {
        let path = to.join(gone);
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.context(paths::shown(&path))?;
    }
    for name in ours {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            mirror(&from, &to)?;
            continue;
        }
        let bytes = fs::read(&from).context(paths::shown(&from))?;
        if fs::read(&to).ok().as_ref() != Some(&bytes) {
            fs::write(&to, bytes).context(paths::shown(&to))?;
        }
    }
    Ok(())
}

fn try_one(copy: &Path, patch: &Path) -> Result<(), Failure> {
    let text = fs::read_to_string(patch).context(paths::shown(patch))?;
    let line = |key: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(key));
        found
            .map(str::trim)
            .ok_or_else(|| Failure(format!("no line `{key}`")))
    };
    let (breaks, proof, says) = (line("Breaks:")?, line("Proof:")?, line("Says:")?);
    println!("{breaks}\n$ {proof}");
    let apply = |how: &str| {
        let tool = Run::new("patch").words("--strip 1 --batch --no-backup-if-mismatch --input");
        tool.arg(patch)
            .arg(how)
            .current_dir(copy)
            .capture()
            .map(drop)
    };
    apply("--forward")?;
    let mut said = String::new();
    let words = proof.strip_prefix("cargo ").unwrap_or(proof);
    let outcome = Run::cargo(words)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .tee(|line| {
            said.push_str(line);
            said.push('\n');
        });
    apply("--reverse")?;
    match outcome {
        Ok(()) => fail!("the proof passes although it is false: {breaks}"),
        Err(_) if said.contains(says) => Ok(()),
        Err(failure) => fail!("it fails for another reason, without `{says}`: {failure}"),
    }
}
