//! `privyseal rotate`: keys replaced without a login that fails.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};
use privyseal::UnixTime;
use privyseal::base::display::escape_for_display;
use privyseal::base::file;
use privyseal::oidc::rotation::{CACHE, Rotation, RotationStep};
use privyseal::report::Verdict;
use serde_json::json;

use super::jwks::PublishedArgs;
use super::options::moment;
use super::output::{print_json, print_line};
use crate::error::CliError;

/// The longest that a plan waits, in seconds: a year.
const MAX_CACHE: u64 = 366 * 24 * 60 * 60;

/// Replace keys without a login that fails: when to publish, to switch, and to retire
#[derive(Subcommand)]
pub(super) enum Rotate {
    Plan(Plan),
    Check(Check),
}

crate::runs! { Rotate: Plan Check }

/// Say what is to be published, signed with and decrypted with from when on
///
/// Both sets are what privyseal jwks prints, each whole: the keys that are used now, and those that will be used. A key
/// that stays is in both.
#[derive(Args)]
pub(super) struct Plan {
    /// The JWK Set of today
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The JWK Set that will replace it
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// When the new set is published, in seconds since 1970; by default now
    #[arg(long, value_name = "EPOCH")]
    begin: Option<u64>,
    /// For how long the provider may keep a set that it has read; a day, or the set's max-age where that is more
    #[arg(long, value_name = "SECONDS", default_value_t = CACHE, value_parser = value_parser!(u64).range(60..=MAX_CACHE))]
    cache: u64,
    /// Print the plan as JSON, for privyseal rotate check
    #[arg(long)]
    json: bool,
}

/// See whether what is published is what a plan says for this time, and what is due
#[derive(Args)]
pub(super) struct Check {
    /// The plan that privyseal rotate plan --json printed
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Where the keys are published
    #[arg(long, value_name = "URL")]
    url: String,
    /// The moment to judge at, in seconds since 1970; by default now
    #[arg(long, value_name = "EPOCH")]
    now: Option<u64>,
    #[command(flatten)]
    published: PublishedArgs,
}

impl Plan {
    fn run(self) -> Result<(), CliError> {
        let begin = moment("--begin", self.begin)?;
        let [old, new] = [&self.old, &self.new].map(|path| file::read(path, file::MAX_FILE));
        let (old, new) = (old?, new?);
        Rotation::judge_set(&old).map_err(CliError::of_content(&self.old))?;
        let plan = Rotation::plan(&old, &new, begin, self.cache);
        let plan = plan.map_err(CliError::of_content(&self.new))?;
        if self.json {
            return print_json(&json!(plan));
        }
        let lines: Result<Vec<_>, _> = plan.steps().iter().map(described).collect();
        print_line(lines?.join("\n").as_bytes())
    }
}

impl Check {
    fn run(self) -> Result<(), CliError> {
        let now = moment("--now", self.now)?;
        let text = file::read(&self.plan, file::MAX_FILE)?;
        let plan = Rotation::from_json(&text).map_err(|it| format!("{it}, as --json prints one"));
        let plan = plan.map_err(CliError::of_content(&self.plan))?;
        let (current, next) = plan.at(now);
        let gone = |kid: &str| plan.knows(kid);
        // At the end it does not matter any more.
        let waited = next.map(|_| plan.waits());
        let (published, url) = (&self.published, &self.url);
        let mut report = published.judge(url, &current.publish, gone, waited)?;
        let mut text = format!("now sign with {}", names(&current.sign_with));
        // Since when it is published nobody can see.
        if let Some(from) = published_from(&plan, &current.sign_with) {
            let from = UnixTime::from_secs(from)?;
            let waits = plan.waits();
            let _ = write!(
                text,
                ", if that is published since {from}; else {waits} s after it was"
            );
        }
        report.add(Verdict::Note, text);
        if !current.decrypt_with.is_empty() {
            let text = format!("now decrypt with {}", names(&current.decrypt_with));
            report.add(Verdict::Note, text);
        }
        let due = next.map(described).transpose()?;
        let last = if report.broken() == 0 {
            "nothing: by the dates of the plan the old keys can be destroyed"
        } else {
            "publish what the plan says; no key can be destroyed"
        };
        let due = due.unwrap_or_else(|| last.to_owned());
        report.add(Verdict::Note, format!("next: {due}"));
        let json = json!({ "findings": &report, "now": current, "next": next });
        published.give(&report, json)
    }
}

/// From when on the plan publishes keys that are not published before.
fn published_from(plan: &Rotation, kids: &[String]) -> Option<u64> {
    let is_there = |step: &&RotationStep| kids.iter().all(|kid| step.publishes(kid));
    let first = plan.steps().iter().find(is_there)?;
    (first.from > 0).then_some(first.from)
}

/// One line.
fn described(step: &RotationStep) -> Result<String, CliError> {
    let action = escape_for_display(&step.action);
    let mut text = match step.from {
        0 => format!("{:<20}  {action}", "until then"),
        from => format!("{:<20}  {action}", UnixTime::from_secs(from)?),
    };
    let _ = write!(text, "; sign with {}", names(&step.sign_with));
    if !step.decrypt_with.is_empty() {
        let _ = write!(text, ", decrypt with {}", names(&step.decrypt_with));
    }
    Ok(text)
}

fn names(kids: &[String]) -> String {
    escape_for_display(&kids.join(" and "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_kid_steers_no_terminal() {
        let kids = ["a\n\u{1b}[31m".to_owned(), "b".to_owned()];
        assert_eq!(super::names(&kids), "a\\n\\u{1b}[31m and b");
    }
}
