//! The public API of each crate that is published, one item a line, beside the listings in `docs/api`.
//!
//! rustdoc tells it as JSON, which is not stable: `RUSTC_BOOTSTRAP` has the stable compiler write it, and
//! `public-api` reads one version of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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
    let folder = paths::root().join("docs/api");
    let mut listings = Vec::new();
    for name in published()? {
        listings.push((format!("{name}.txt"), listing(&name)?));
    }
    if options.save {
        // A crate that is gone has no listing.
        fs::create_dir_all(&folder).context(paths::shown(&folder))?;
        fs::remove_dir_all(&folder).context(paths::shown(&folder))?;
        fs::create_dir_all(&folder).context(paths::shown(&folder))?;
    }
    let mut changes = Vec::new();
    for (file, listing) in &listings {
        let path = folder.join(file);
        if options.save {
            fs::write(&path, listing).context(paths::shown(&path))?;
        } else {
            changes.extend(differences(&path, listing)?);
        }
        println!("{}: {} items", paths::shown(&path), listing.lines().count());
    }
    if changes.is_empty() {
        return Ok(());
    }
    fail!(
        "the public API is another one than docs/api says (`cargo xtask api --save` saves it):\n{}",
        changes.join("\n")
    )
}

/// The workspace's libraries that are published.
fn published() -> Result<Vec<String>, Failure> {
    let packages = metadata::packages(MANIFESTS[0])?.into_iter();
    let names = packages.filter(|package| package.is_published() && package.has_library());
    Ok(names.map(|package| package.name).collect())
}

/// One item a line, without what the compiler gives every type.
fn listing(name: &str) -> Result<String, Failure> {
    let target = paths::target().join("api");
    let words = format!(
        "rustdoc --quiet --lib --all-features --package {name} -- -Z unstable-options --output-format json"
    );
    let rustdoc = Run::cargo(&words);
    // Its own folder, or the next build of everything else would begin from scratch.
    rustdoc
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", &target)
        .stream()?;
    let file = target
        .join("doc")
        .join(format!("{}.json", name.replace('-', "_")));
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
