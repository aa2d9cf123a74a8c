//! Counter-examples: the product is broken on purpose, in a copy, and the proof of what it breaks must turn red.
//!
//! `host-tests/broken/*.patch` are unified diffs, below three lines: `Breaks:` what is no longer true, `Proof:` the
//! command that must fail, `Says:` what it must say. A fourth, `Alone:`, says why it is never applied with others.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::failure::{Context, Failure, fail};
use crate::process::Run;
use crate::setup::{self, Need};
use crate::steps::Steps;
use crate::{copy, paths};

/// Which ones to try.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only those whose file name contains this
    #[arg(long, value_name = "PART")]
    filter: Option<String>,
    /// Only so many of those that are tried one by one, others each day
    #[arg(long, value_name = "COUNT")]
    some: Option<usize>,
    /// All that can be at once, so that what they break is built once, and of the others only `--some`
    #[arg(long)]
    together: bool,
}

/// Applies the patches and fails unless every proof did.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::run(&[Need::Patch])?;
    let mut patches = patches()?;
    if let Some(part) = &options.filter {
        patches.retain(|patch| patch.name.contains(part));
    }
    if patches.is_empty() {
        return fail!("no such patch in host-tests/broken");
    }
    let (mut alone, at_once): (Vec<_>, Vec<_>) = patches
        .into_iter()
        .partition(|patch| !options.together || patch.is_alone);
    let none = if options.together { 0 } else { alone.len() };
    let count = options.some.unwrap_or(none).min(alone.len());
    if count < alone.len() {
        let today = SystemTime::now().duration_since(UNIX_EPOCH);
        let today = usize::try_from(today.unwrap_or_default().as_secs() / (24 * 60 * 60));
        let first = today.unwrap_or_default().wrapping_mul(count) % alone.len();
        alone.rotate_left(first);
        alone.truncate(count);
    }
    let copy = copy::of_workspace("broken")?;
    share_build(&copy)?;
    let mut steps = Steps::default();
    for group in [&at_once[..]].into_iter().chain(alone.chunks(1)) {
        try_group(&copy, group, &mut steps)?;
    }
    steps.finish()
}

/// A patch, and what it must turn red.
#[derive(Debug)]
struct Patch {
    name: String,
    path: PathBuf,
    breaks: String,
    proof: String,
    says: String,
    is_alone: bool,
}

impl Patch {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        let text = fs::read_to_string(&path).context(paths::shown(&path))?;
        let find = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let line = |key: &str| match find(key) {
            Some(line) => Ok(line.trim().to_owned()),
            None => fail!("{}: no line `{key}`", paths::shown(&path)),
        };
        Ok(Self {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            breaks: line("Breaks:")?,
            proof: line("Proof:")?,
            says: line("Says:")?,
            is_alone: find("Alone:").is_some(),
            path,
        })
    }
}

/// All of them, by name.
fn patches() -> Result<Vec<Patch>, Failure> {
    let folder = paths::root().join("host-tests/broken");
    let mut patches = Vec::new();
    for entry in fs::read_dir(&folder).context(paths::shown(&folder))? {
        let path = entry.context(paths::shown(&folder))?.path();
        if path.extension().is_some_and(|it| it == "patch") {
            patches.push(Patch::read(path)?);
        }
    }
    patches.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(patches)
}

/// What was built of other people's crates is the same there: links to it. What cargo notes of that is copied, since it
/// writes its notes in their place, and would take what it builds there for built here.
fn share_build(copy: &Path) -> Result<(), Failure> {
    const COPIED: &str = "--recursive --preserve=timestamps --remove-destination";
    let there = copy.join("target/debug");
    fs::create_dir_all(&there).context(paths::shown(&there))?;
    for (folder, how) in [
        ("deps", "--recursive --symbolic-link --remove-destination"),
        ("build", COPIED),
        (".fingerprint", COPIED),
    ] {
        let here = paths::target().join("debug").join(folder);
        if here.is_dir() {
            let copy = Run::new("cp").words(how).arg(here).arg(&there);
            copy.limit(Duration::from_secs(600)).stream()?;
        }
    }
    Ok(())
}

/// Breaks the copy with all of them, and mends it when each proof has run.
fn try_group(copy: &Path, group: &[Patch], steps: &mut Steps) -> Result<(), Failure> {
    for patch in group {
        apply(copy, &patch.path, "--forward")?;
    }
    for patch in group {
        steps.step(&patch.name, || turns_red(copy, patch));
    }
    for patch in group.iter().rev() {
        apply(copy, &patch.path, "--reverse")?;
    }
    Ok(())
}

fn turns_red(copy: &Path, patch: &Patch) -> Result<(), Failure> {
    let Patch {
        breaks,
        proof,
        says,
        ..
    } = patch;
    println!("{breaks}\n$ {proof}");
    let mut said = String::new();
    let words = proof.strip_prefix("cargo ").unwrap_or(proof);
    let outcome = Run::cargo(words)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .tee(|line| {
            said.push_str(line);
            said.push('\n');
        });
    match outcome {
        Ok(()) => fail!("the proof passes although it is false: {breaks}"),
        Err(_) if said.contains(says) => Ok(()),
        Err(failure) => fail!("it fails for another reason, without `{says}`: {failure}"),
    }
}

fn apply(tree: &Path, patch: &Path, how: &str) -> Result<(), Failure> {
    let tool = Run::new("patch").words("--strip 1 --batch --no-backup-if-mismatch --input");
    let tool = tool.arg(patch).words(how).current_dir(tree);
    tool.limit(Duration::from_secs(60)).stream()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code changes under them; one that no longer applies would be noticed on its day only.
    #[test]
    fn every_patch_still_applies() {
        let patches = patches().unwrap_or_else(|Failure(why)| panic!("{why}"));
        assert!(
            patches.len() >= 8,
            "one for each kind of proof: {patches:?}"
        );
        for patch in patches {
            let applied = apply(&paths::root(), &patch.path, "--forward --dry-run");
            assert!(applied.is_ok(), "{patch:?}: {applied:?}");
        }
    }
}
