//! Changes the code that decides what is signed and believed, one place at a time, and runs the tests that start no server:
//! a change that no test notices is a rule without a test. What may stay unnoticed is in `docs/mutants.md`, with its reason.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::failure::{Context, Failure, fail};
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need, tools};

/// A crate, and who must notice.
struct Part {
    name: &'static str,
    folder: &'static str,
    /// Packages of tests and which of them, the quick ones first: what one round notices is not tried in the next.
    rounds: &'static [(&'static str, &'static str)],
}

/// Only tests with a server notice what these do.
const SERVERS: &str = "--exclude host/receiver/src/server.rs --exclude host/receiver/src/server/* \
                       --exclude host/receiver/src/replay/redis.rs";

/// What compiles code that must not compile takes too long for each change, and is about types.
const PARTS: &[Part] = &[
    Part {
        name: "privyseal-core",
        folder: "core/src",
        rounds: &[
            (
                "privyseal-core",
                "--lib --test public_chain --test key_names --test seams",
            ),
            ("privyseal-core-tests", "--test check --test limits"),
        ],
    },
    Part {
        name: "privyseal-check",
        folder: "core/check/src",
        rounds: &[
            ("privyseal-check", "--lib --test schemes"),
            ("privyseal-core-tests", "--test check"),
        ],
    },
    Part {
        name: "privyseal-receiver",
        folder: "host/receiver/src",
        rounds: &[
            ("privyseal-receiver", "--lib --features server"),
            (
                "privyseal-receiver-tests",
                "--test receiver -- accepted:: caches:: corpus:: inbound:: kinds:: listed:: refused:: sentences:: \
                 tokens:: slow::who_waits_for_a_slow_registry",
            ),
        ],
    },
];

/// What of it.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only these files or folders, such as core/src/cert
    paths: Vec<String>,
    /// List the changes and try none
    #[arg(long)]
    list: bool,
}

/// Tries every change, and fails for one that no test notices and that is not listed.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::run(&[Need::Mutants])?;
    let listed = fs::read_to_string(paths::root().join("docs/mutants.md"))
        .context("cannot read docs/mutants.md")?;
    let mut unknown = Vec::new();
    let mut is_any = false;
    for part in PARTS {
        let files = part.files(&options.paths);
        if files.is_empty() {
            continue;
        }
        is_any = true;
        if options.list {
            part.command(&files).arg("--list").stream()?;
        } else {
            let noticed = part.try_out(&files)?;
            unknown.extend(part.report(noticed, &listed)?);
        }
    }
    match (is_any, unknown.is_empty()) {
        (false, _) => fail!("no crate whose changes are tried has such a path"),
        (true, true) => Ok(()),
        (true, false) => fail!(
            "no test notices these changes, and docs/mutants.md does not list them:\n- {}",
            unknown.join("\n- ")
        ),
    }
}

impl Part {
    /// The patterns of its files that are meant.
    fn files(&self, paths: &[String]) -> Vec<String> {
        if paths.is_empty() {
            return vec![format!("{}/**/*.rs", self.folder)];
        }
        let own = paths.iter().filter(|path| path.starts_with(self.folder));
        let pattern = |path: &String| {
            let path = path.trim_end_matches('/');
            if Path::new(path).extension().is_some() {
                path.to_owned()
            } else {
                format!("{path}/**/*.rs")
            }
        };
        own.map(pattern).collect()
    }

    fn command(&self, files: &[String]) -> Run {
        let command = Run::new(tools::path(tools::MUTANTS)).words("mutants --no-shuffle");
        let command = command.words(SERVERS).arg("--package").arg(self.name);
        files
            .iter()
            .fold(command, |command, file| command.arg("--file").arg(file))
    }

    /// Tries the changes; gives how many were noticed.
    fn try_out(&self, files: &[String]) -> Result<usize, Failure> {
        if self.output().is_dir() {
            fs::remove_dir_all(self.output())
                .context("cannot remove the outcome of another run")?;
        }
        fs::create_dir_all(self.output()).context("cannot make a folder for the outcome")?;
        let mut noticed = 0;
        for (package, tests) in self.rounds {
            let round = self
                .command(files)
                .words("--iterate --gitignore true --test-package");
            let round = round
                .arg(package)
                .words("--timeout 90 --colors never --output");
            let round = round.arg(self.output()).arg("--cargo-arg");
            // Built again for each change, and run once: optimising costs more than it saves.
            let unoptimised = format!("--config=profile.dev.package.{}.opt-level=0", self.name);
            let round = round.arg(unoptimised).arg("--").words(tests);
            let ended = round
                .env("CARGO_PROFILE_DEV_DEBUG", "0")
                .env("CARGO_INCREMENTAL", "1")
                .limit(Duration::from_secs(24 * 3600))
                .stream();
            // It ends with an error where a change survives; which ones, its lists say.
            if self.outcome("missed").is_err() {
                ended?;
            }
            noticed += self.outcome("caught")?.len();
        }
        Ok(noticed + self.outcome("timeout")?.len())
    }

    /// Prints how many were noticed; gives those that were not and are not listed.
    fn report(&self, noticed: usize, listed: &str) -> Result<Vec<String>, Failure> {
        let missed = self.outcome("missed")?;
        let all = noticed + missed.len();
        println!(
            "{}: {noticed} of {all} changes that compile are noticed; these are not:\n{}",
            self.name,
            missed.join("\n")
        );
        let is_listed = |change: &String| listed.contains(&format!("`{change}`"));
        Ok(missed.into_iter().filter(|it| !is_listed(it)).collect())
    }

    fn outcome(&self, kind: &str) -> Result<Vec<String>, Failure> {
        let file = self
            .output()
            .join("mutants.out")
            .join(kind)
            .with_extension("txt");
        let text = fs::read_to_string(&file)
            .context(format_args!("cannot read {}", paths::shown(&file)))?;
        Ok(text.lines().map(without_place).collect())
    }

    fn output(&self) -> PathBuf {
        paths::target().join("mutants").join(self.name)
    }
}

/// `core/src/cert/chain.rs:99:9: replace ..`, without the place, which moves.
fn without_place(line: &str) -> String {
    let mut parts = line.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_), Some(_), Some(change)) => format!("{file}:{change}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_is_known_by_file_and_change() {
        let line = "core/src/time.rs:30:9: replace UnixTime::as_secs -> u64 with 0";
        let known = "core/src/time.rs: replace UnixTime::as_secs -> u64 with 0";
        assert_eq!(without_place(line), known);
    }

    #[test]
    fn paths_choose_files_of_their_part() {
        let of = |path: &str| PARTS[0].files(&[path.to_owned()]);
        assert_eq!(of("core/src/cert/"), ["core/src/cert/**/*.rs"]);
        assert_eq!(of("core/src/time.rs"), ["core/src/time.rs"]);
        assert!(of("core/check/src").is_empty());
    }
}
