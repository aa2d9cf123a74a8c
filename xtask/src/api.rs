//! The public API of each crate that is published, one item a line, beside the listings in `docs/api`.
//!
//! rustdoc tells it as JSON, which is not stable: `RUSTC_BOOTSTRAP` has the stable one write it, and `public-api`
//! reads one version of it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use public_api::Builder;

use crate::failure::{Context, Failure, fail};
use crate::metadata::{self, MANIFESTS};
use crate::paths;
use crate::process::Run;

/// What to do with the listings.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Save the listings instead of comparing with those that are saved
    #[arg(long)]
    save: bool,
}

/// Saves the listings, or fails with every item that came or went.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.save { save() } else { check() }
}

/// Fails with what the documentation lacks, and with every item that came or went since the listings were saved.
pub(crate) fn check() -> Result<(), Failure> {
    let folder = folder();
    let mut changes = Vec::new();
    for (file, listing) in listings()? {
        changes.extend(differences(&folder.join(file), &listing)?);
    }
    if changes.is_empty() {
        return Ok(());
    }
    fail!(
        "the public API is another one than docs/api says (`cargo xtask api --save` saves it):\n{}",
        changes.join("\n")
    )
}

fn save() -> Result<(), Failure> {
    let folder = folder();
    let listings = listings()?;
    // A crate that is gone has no listing.
    fs::remove_dir_all(&folder).context(paths::shown(&folder))?;
    fs::create_dir_all(&folder).context(paths::shown(&folder))?;
    for (file, listing) in listings {
        let path = folder.join(file);
        fs::write(&path, listing).context(paths::shown(&path))?;
    }
    Ok(())
}

fn folder() -> PathBuf {
    paths::root().join("docs/api")
}

/// A file name and a listing for each of the workspace's libraries that are published.
fn listings() -> Result<Vec<(String, String)>, Failure> {
    document()?;
    let mut listings = Vec::new();
    for package in metadata::packages(MANIFESTS[0])? {
        if package.is_published() && package.has_library() {
            let listing = listing(&package.name)?;
            println!("{}: {} items", package.name, listing.lines().count());
            listings.push((format!("{}.txt", package.name), listing));
        }
    }
    Ok(listings)
}

/// Has rustdoc read the whole workspace, with its warnings as errors. `RUSTC_BOOTSTRAP` is set for it alone: set for
/// the compiler, it would have everything built again.
fn document() -> Result<(), Failure> {
    let rustdoc = paths::target().join("rustdoc-json");
    let script = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";
    fs::write(&rustdoc, script).context(paths::shown(&rustdoc))?;
    let runs = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&rustdoc, runs).context(paths::shown(&rustdoc))?;
    let doc = Run::cargo("doc --quiet --workspace --no-deps --all-features");
    let flags = "-D warnings -Z unstable-options --output-format json";
    doc.env("RUSTDOC", &rustdoc)
        .env("RUSTDOCFLAGS", flags)
        .stream()
}

/// One item a line, without what the compiler gives every type.
fn listing(name: &str) -> Result<String, Failure> {
    let file = format!("doc/{}.json", name.replace('-', "_"));
    let file = paths::target().join(file);
    let api = Builder::from_rustdoc_json(&file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .context(paths::shown(&file))?;
    let lines: Vec<String> = api.items().map(ToString::to_string).collect();
    Ok(lines.join("\n") + "\n")
}

/// The lines of a saved listing that went, and those that came.
fn differences(path: &Path, listing: &str) -> Result<Vec<String>, Failure> {
    let saved = fs::read_to_string(path).context(paths::shown(path))?;
    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
        (saved.lines().collect(), listing.lines().collect());
    let went = before.difference(&after).map(|line| format!("- {line}"));
    let came = after.difference(&before).map(|line| format!("+ {line}"));
    Ok(went.chain(came).collect())
}
