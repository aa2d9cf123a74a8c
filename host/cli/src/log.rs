//! What is told to an operator: events of all parts, on standard error.

use core::sync::atomic::{AtomicBool, Ordering};
use std::borrow::Cow;
use std::env;
use std::io;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

const VERBOSE: &str = "verbose";
const FORMAT: &str = "log-format";

/// Offers the options of the log.
pub(crate) fn with_options(command: Command) -> Command {
    let verbose = Arg::new(VERBOSE)
        .short('v')
        .long(VERBOSE)
        .action(ArgAction::Count)
        .global(true)
        .help_heading("Log")
        .help("Tell on standard error what is done; twice, with details. RUST_LOG says it more precisely");
    let format = Arg::new(FORMAT)
        .long(FORMAT)
        .value_name("FORM")
        .value_parser(["text", "json"])
        .default_value("text")
        .global(true)
        .help_heading("Log")
        .help("How it is written");
    command.args([verbose, format])
}

/// Whether a line is JSON, which has escapes of its own.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// A text of a stranger, as the log takes it.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    if IS_JSON.load(Ordering::Relaxed) {
        text.into()
    } else {
        // A blank, `=` or quote of its own would end it, and begin another field.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"=\"\\".contains(&byte);
        if text.bytes().all(is_plain) {
            return text.into();
        }
        format!("{text:?}").into()
    }
}

/// Begins to tell.
pub(crate) fn begin(matches: &ArgMatches) {
    let is_server = matches!(matches.subcommand_name(), Some("agent" | "receiver"));
    let level = match (matches.get_count(VERBOSE), is_server) {
        (0, false) => "off",
        (0, true) => "info",
        (1, false) => "privyseal=info,privyseal_agent=info",
        (1, true) => "info,privyseal=debug,privyseal_agent=debug",
        _ => "trace",
    };
    let said = env::var("RUST_LOG").ok().and_then(|said| said.parse().ok());
    let wanted: Targets = said.unwrap_or_else(|| level.parse().unwrap_or_default());
    // Where standard error takes nothing, there is nothing to be said of it.
    let log = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .log_internal_errors(false);
    let log = match matches.get_one::<String>(FORMAT).map(String::as_str) {
        Some("json") => {
            IS_JSON.store(true, Ordering::Relaxed);
            log.json().flatten_event(true).boxed()
        }
        _ => log.boxed(),
    };
    tracing_subscriber::registry().with(log).with(wanted).init();
}
