//! Standard output: the result and nothing else, whole or not at all.

use core::fmt::{Arguments, Display};
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, ColorChoice};
use privyseal::base::display::{escape_json, json_for_display};
use privyseal::report::html::{HtmlReport, START};
use privyseal::report::{Subject, TokenReport};
use privyseal::{AccessToken, Provider};
use privyseal_hsm::replace_file;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::hardening::{output_has_no_reader, output_is_closed, results};
use crate::options::RevocationSource;

/// Prints to standard error, and ignores that this cannot be done: the result counts.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::to_stderr(format_args!($($text)*)) };
}
pub(super) use say;

/// [`say!`].
pub(super) fn to_stderr(text: Arguments<'_>) {
    // At once, so that what others write does not come in between.
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Prints `text` and one newline. It may be a credential: the copy is wiped.
pub(super) fn print_line(text: &[u8]) -> Result<(), CliError> {
    let mut line = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(1)));
    line.extend_from_slice(text);
    line.push(b'\n');
    print(&line)
}

/// Prints a server's JSON as it was written, but for what could steer a terminal.
pub(super) fn print_response(json: &[u8]) -> Result<(), CliError> {
    let text = String::from_utf8_lossy(json.trim_ascii());
    print_line(escape_json(&text).as_bytes())
}

/// Prints `text` as it is.
pub(super) fn print(text: &[u8]) -> Result<(), CliError> {
    can_print()?;
    let mut stdout = io::stdout().lock();
    let written = match results() {
        Some(mut file) => file.write_all(text),
        None => stdout.write_all(text).and_then(|()| stdout.flush()),
    };
    written.map_err(CliError::Output)
}

/// Fails where it is known that nothing could be printed: asked before a person, or something that is good once, is spent
/// for it. A full disk shows only when it is written to.
pub(super) fn can_print() -> Result<(), CliError> {
    output_is_open().map_err(CliError::Output)
}

/// Fails where the program was started without a standard output, or nobody reads it any more.
pub(super) fn output_is_open() -> io::Result<()> {
    if output_is_closed() {
        return Err(io::Error::other("standard output is closed"));
    }
    if output_has_no_reader() {
        return Err(io::Error::other("nobody reads standard output any more"));
    }
    Ok(())
}

/// Warns of what would be asked and is not in the provider's metadata, who need not list it.
pub(super) fn warn_of_scopes(provider: &Provider, scope: &str) {
    for value in provider.metadata().unlisted_scopes(scope) {
        say!(
            "warning: the provider's metadata do not list the scope {value}: it may refuse it, or leave out what it is for"
        );
    }
}

/// Prints a report for people, or as JSON.
pub(super) fn print_report(report: &impl Display, json: Option<Value>) -> Result<(), CliError> {
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
pub(super) fn print_json(report: &Value) -> Result<(), CliError> {
    print_line(json_for_display(report).as_bytes())
}

/// Prints what is known about a person by their id_token and by UserInfo, and the tokens that came. Where that cannot be
/// done, says of what they did that it is lost, and what they must do again.
pub(super) fn print_person(
    [id_token, userinfo]: [Option<&Map<String, Value>>; 2],
    access: &AccessToken,
    show_tokens: bool,
    [done, again]: [&str; 2],
) -> Result<(), CliError> {
    let tokens = if show_tokens {
        serde_json::from_slice(access.expose_response()).ok()
    } else {
        let seconds = access.expires_in();
        seconds.map(|seconds| json!({ "expires_in": seconds }))
    };
    let claims = |claims: Option<&Map<_, _>>| claims.cloned().map(Value::from);
    let members = [
        ("id_token", claims(id_token)),
        ("userinfo", claims(userinfo)),
        ("tokens", tokens),
    ];
    let given = |(name, value): (&str, Option<_>)| Some((name.to_owned(), value?));
    let report: Value = members.into_iter().filter_map(given).collect();
    print_json(&report).inspect_err(|_| {
        say!("warning: the person has {done}, and what came is lost: they must {again}");
    })
}

/// A report takes the place of an earlier one, and of no key, chain, token or page whose name was given by mistake.
fn is_report_or_new(path: &Path) -> Result<(), CliError> {
    let mut head = Vec::new();
    if path.is_file() {
        let file = File::open(path).map_err(CliError::of_output(path))?;
        let len = u64::try_from(START.len()).unwrap_or(u64::MAX);
        file.take(len)
            .read_to_end(&mut head)
            .map_err(CliError::of_output(path))?;
    }
    if head.is_empty() || head == START.as_bytes() {
        return Ok(());
    }
    let why = "it is something else than a report of Privyseal, and is left alone";
    Err(CliError::of_output(path)(io::Error::other(why)))
}

/// A file that takes a result. Standard output is where results go without one.
pub(super) fn output_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some("-") => Err("a file is meant, and one of that name is ./-"),
        _ => Ok(path),
    })
}

/// How a report is given.
#[derive(Args)]
pub(super) struct ReportArgs {
    /// Report as JSON
    #[arg(long)]
    json: bool,
    /// Also write the report into this file, as HTML that needs nothing else; a file that is there is replaced if it is such a report
    #[arg(long, value_name = "FILE", value_parser = output_file())]
    html: Option<PathBuf>,
    /// Whether the report has colours: where it is a terminal and NO_COLOR is not set, always, or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value_t,
        hide_possible_values = true
    )]
    color: ColorChoice,
}

impl ReportArgs {
    /// Prints a report for people or as JSON, and writes the file. Each is given though the other cannot be.
    pub(super) fn give(
        &self,
        report: &impl Display,
        json: impl FnOnce() -> Value,
        html: impl FnOnce() -> HtmlReport,
    ) -> Result<(), CliError> {
        let written = self.html.as_ref().map_or(Ok(()), |path| {
            let document = html().to_document();
            is_report_or_new(path)?;
            replace_file(path, 0o666, document.as_bytes()).map_err(CliError::of_output(path))
        });
        self.print(report, json)?;
        written
    }

    fn print(&self, report: &impl Display, json: impl FnOnce() -> Value) -> Result<(), CliError> {
        if self.json {
            return print_json(&json());
        }
        let text = report.to_string();
        if self.has_colors() {
            let lines = text.lines().map(painted).collect::<Vec<_>>();
            return print_line(lines.join("\n").as_bytes());
        }
        print_line(text.as_bytes())
    }

    fn has_colors(&self) -> bool {
        let choice = match self.color {
            ColorChoice::Auto => match results() {
                Some(file) => anstream::AutoStream::choice(file),
                None => anstream::AutoStream::choice(&io::stdout()),
            },
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        choice != anstream::ColorChoice::Never
    }
}

/// The line, with colour in the verdict that it begins with.
fn painted(line: &str) -> String {
    const GOOD: Style = AnsiColor::Green.on_default();
    const BAD: Style = AnsiColor::Red.on_default();
    const WORDS: [(&str, Style); 7] = [
        ("passed", GOOD),
        ("accepts", GOOD),
        ("broken", BAD),
        ("refuses", BAD),
        ("not checked", AnsiColor::Yellow.on_default()),
        ("note", AnsiColor::Cyan.on_default()),
        ("result", Style::new()),
    ];
    let text = line.trim_start();
    let word = WORDS.iter().find(|(word, _)| {
        let rest = text.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    let Some((word, style)) = word else {
        return line.to_owned();
    };
    let style = style.bold();
    let (indent, rest) = line.split_at(line.len().saturating_sub(text.len()));
    let rest = rest.get(word.len()..).unwrap_or_default();
    format!("{indent}{style}{word}{style:#}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_at_the_start_of_a_line_has_a_colour_and_nothing_else_has() {
        assert_eq!(
            painted("  passed  x"),
            "  \u{1b}[1m\u{1b}[32mpassed\u{1b}[0m  x"
        );
        assert_eq!(
            painted("not checked trust"),
            "\u{1b}[1m\u{1b}[33mnot checked\u{1b}[0m trust"
        );
        for plain in ["", "passedx", "rules     FIAM", "it passed"] {
            assert_eq!(painted(plain), plain);
        }
    }
}
