//! The same image from any folder: no path in what rustc writes, nor in the numbers by which it tells crates apart.
//!
//! Paths are renamed by `--remap-path-prefix`. Cargo numbers a crate by its path, if that is outside of its workspace, as
//! the core is here, and the order of constants in the image follows from the number: so cargo calls rustc by way of
//! xtask, which numbers our crates by their names.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::process::Run;

/// Where our crates are, for the xtask that stands before rustc.
const SOURCES: &str = "XTASK_SOURCES";

/// Has cargo build what lies in `root` so.
pub(super) fn reproducibly(cargo: Run, root: &Path) -> Run {
    let cargo = cargo.env("CARGO_ENCODED_RUSTFLAGS", without_paths(root));
    match xtask() {
        Some(xtask) => cargo.env("RUSTC_WRAPPER", xtask).env(SOURCES, root),
        None => cargo,
    }
}

/// This program, or what cargo has built in its place since it began: Linux says so behind the name.
fn xtask() -> Option<PathBuf> {
    let path = env::current_exe().ok()?;
    let name = path.file_name()?.to_str()?;
    Some(path.with_file_name(name.strip_suffix(" (deleted)").unwrap_or(name)))
}

/// The flags, with a separator between them.
fn without_paths(root: &Path) -> OsString {
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    let named = cargo.iter().map(|path| (path.as_path(), "/cargo"));
    // Cargo does not know that a crate which was built before has another number.
    let mut flags = OsString::from("--cfg=numbered_by_name");
    // The last that fits counts.
    for (path, name) in named.chain([(root, "/privyseal")]) {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(path);
        flags.push(format!("={name}"));
    }
    flags
}

/// Calls rustc, if cargo has called xtask in its place.
pub(crate) fn as_rustc() -> Option<ExitCode> {
    let sources = env::var_os(SOURCES)?;
    let mut arguments = env::args_os().skip(1);
    let rustc = arguments.next()?;
    let mut arguments: Vec<OsString> = arguments.collect();
    let is_ours = env::var_os("CARGO_MANIFEST_DIR")
        .is_some_and(|folder| Path::new(&folder).starts_with(&sources));
    if is_ours {
        number_by_name(&mut arguments);
    }
    let status = Command::new(rustc).args(arguments).status().ok()?;
    Some(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn number_by_name(arguments: &mut [OsString]) {
    let name = arguments
        .iter()
        .position(|argument| argument == "--crate-name")
        .and_then(|at| arguments.get(at + 1));
    let Some(name) = name.map(|name| name.to_string_lossy().into_owned()) else {
        return;
    };
    for argument in arguments {
        let is_number = |argument: &OsStr| argument.to_string_lossy().starts_with("metadata=");
        if is_number(argument) {
            *argument = format!("metadata={name}").into();
        }
    }
}
