//! Standard output: the result and nothing else, whole or not at all.

use core::fmt::{Arguments, Display};
use std::io::{self, Write};

use privyseal::report::{Subject, TokenReport};
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::options::RevocationSource;

/// Prints to standard error, and ignores that this cannot be done: the result counts.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::to_stderr(format_args!($($text)*)) };
}
pub(super) use say;

/// [`say!`].
pub(super) fn to_stderr(text: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints `text` and one newline. It may be a credential: the copy is wiped.
pub(super) fn print_line(text: &[u8]) -> Result<(), CliError> {
    let mut line = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(1)));
    line.extend_from_slice(text);
    line.push(b'\n');
    print(&line)
}

/// Prints `text` as it is.
pub(super) fn print(text: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(CliError::Output)
}

/// Prints a report for people, or as JSON.
pub(super) fn print_report(
    report: &impl Display,
    json: Option<serde_json::Value>,
) -> Result<(), CliError> {
    match json {
        Some(json) => print_json(&json),
        None => print_line(report.to_string().as_bytes()),
    }
}

/// The end of a report: an error if rules are broken.
pub(super) fn broken(count: usize) -> Result<(), CliError> {
    match count {
        0 => Ok(()),
        count => Err(CliError::RulesBroken { count }),
    }
}

/// The end of a token's report: an error if rules are broken, or if one of `subjects` was not judged; revocation is one
/// where it must be known.
pub(super) fn judged(
    report: &TokenReport,
    subjects: &[Subject],
    revocation: &RevocationSource,
) -> Result<(), CliError> {
    broken(report.broken())?;
    let mut subjects = subjects.to_vec();
    if revocation.must_be_known() {
        subjects.push(Subject::Revocation);
    }
    match report.not_judged(&subjects) {
        Some((subject, reason)) => Err(CliError::NotJudged { subject, reason }),
        None => Ok(()),
    }
}

/// Prints JSON.
pub(super) fn print_json(report: &serde_json::Value) -> Result<(), CliError> {
    print_line(format!("{report:#}").as_bytes())
}
