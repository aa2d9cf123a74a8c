//! The workspace in another folder.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure};
use crate::paths;

/// The tree as it lies here, in that folder below `target`. What is the same there keeps its time, so that only what
/// differs is built again.
pub(crate) fn of_workspace(folder: &str) -> Result<PathBuf, Failure> {
    let copy = paths::target().join(folder);
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
