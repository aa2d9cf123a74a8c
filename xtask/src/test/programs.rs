//! The test programs of the workspace, four at a time: many of them wait for a server or an emulator most of the time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::failure::{Failure, fail};
use crate::paths;
use crate::process::Run;

const AT_ONCE: usize = 4;
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// They take longest, so they begin first.
const SLOWEST: [&str; 8] = [
    "emulator-tests",
    "flows-tests",
    "pkcs11_faults",
    "agent-tests",
    "gateway-tests",
    "command_keys",
    "receiver-tests",
    "capi-tests",
];

/// A test program, and what cargo says when it runs one.
struct Program {
    heading: String,
    run: Run,
}

/// What cargo says of something that it built.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds and runs them all, or of each what `filter` names. `each` gets every line, program by program.
pub(super) fn run(filter: Option<&str>, each: impl FnMut(&str) + Send) -> Result<(), Failure> {
    let programs = build(filter)?;
    let (queue, each, failed) = (
        Mutex::new(programs),
        Mutex::new(each),
        Mutex::new(Vec::new()),
    );
    let next = || {
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    let work = || {
        while let Some(Program { heading, run }) = next() {
            let mut lines = vec![heading.clone()];
            let ended = run.lines(|line| lines.push(line.to_owned()));
            let mut each = each.lock().unwrap_or_else(PoisonError::into_inner);
            for line in &lines {
                println!("{line}");
                each(line);
            }
            if let Err(failure) = ended {
                let failure = format!("{}: {failure}", heading.trim());
                failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(failure);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failed.is_empty() {
        return Ok(());
    }
    fail!("{}", failed.join("\n"))
}

fn build(filter: Option<&str>) -> Result<VecDeque<Program>, Failure> {
    let build = Run::cargo("test --workspace --no-run --message-format json-render-diagnostics");
    let mut programs = Vec::new();
    build.lines(|line| match serde_json::from_str(line) {
        Ok(Artifact {
            manifest_path,
            target,
            profile: Profile { test: true },
            executable: Some(executable),
        }) => programs.push(program(&manifest_path, &target.src_path, &executable)),
        Ok(_) => {}
        // Progress, a warning, or a message of another kind.
        Err(_) if line.starts_with('{') => {}
        Err(_) => println!("{line}"),
    })?;
    programs.sort_by_key(|program| {
        let is_in = |name: &&str| program.heading.contains(*name);
        SLOWEST.iter().position(is_in).unwrap_or(SLOWEST.len())
    });
    programs.push(Program {
        heading: String::new(), // it says `Doc-tests` for each crate by itself
        run: Run::cargo("test --workspace --doc --no-fail-fast"),
    });
    let named = programs
        .into_iter()
        .map(|Program { heading, run }| Program {
            heading,
            run: run.args(filter),
        });
    Ok(named.collect())
}

/// With what cargo gives it: its folder, and where that is.
fn program(manifest: &Path, source: &Path, executable: &Path) -> Program {
    let folder = manifest.parent().unwrap_or(manifest);
    let shown = paths::shown(source);
    Program {
        heading: format!("     Running {shown} ({})", executable.display()),
        run: Run::new(executable)
            .current_dir(folder)
            .env("CARGO_MANIFEST_DIR", folder)
            .limit(LIMIT),
    }
}
