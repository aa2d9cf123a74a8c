//! `privyseal completions`, and what a shell then asks for: from the parser itself, so they are never out of date.

use core::time::Duration;
use std::env;
use std::ffi::{OsStr, OsString};

use clap::builder::{PossibleValue, ValueHint};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};
use clap_complete::env::{CompleteEnv, Shells};
use privyseal::profile::Profiles;
use privyseal_core::Scheme;
use serde_json::Value;

use super::options::ProfileChoice;
use super::output::print_line;
use crate::error::CliError;
use crate::scan;

/// How long a module may take while somebody waits for the tab key.
const LIMIT: Duration = Duration::from_secs(3);

/// The variable by which the shell's function asks.
const VARIABLE: &str = "PRIVYSEAL_COMPLETE";

/// Print the completions of a shell: of commands and options, and of schemes, profiles and keys as they are then
#[derive(Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), CliError> {
        const NAME: &str = "privyseal";
        let shells = Shells::builtins();
        let name = self.shell.to_string();
        let mut script = Vec::new();
        if let Some(shell) = shells.completer(&name) {
            // A Vec takes all that is written to it.
            let _ = shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script);
        }
        if self.shell == Shell::Bash {
            script.extend_from_slice(include_bytes!("completions/words.bash"));
        }
        print_line(script.trim_ascii_end())
    }
}

/// Answers a shell that asks what may come next. Nothing else is done then.
pub(super) fn answer() -> Result<bool, clap::Error> {
    let complete = CompleteEnv::with_factory(|| with_values(crate::documented()));
    let folder = env::current_dir().ok();
    complete
        .var(VARIABLE)
        .try_complete(env::args_os(), folder.as_deref())
}

/// The command line, whose values a shell can ask for.
fn with_values(command: Command) -> Command {
    let command = command.mut_subcommands(with_values);
    let takes_own = command
        .get_arguments()
        .any(|arg| arg.get_long() == Some("config"));
    command.mut_args(|arg| match arg.get_long() {
        Some("scheme") => {
            let (names, or_file) = (arg.get_possible_values(), takes_file(&arg));
            arg.add(ArgValueCompleter::new(move |begun: &OsStr| {
                let fitting = schemes(&names, takes_own, begun);
                if fitting.is_empty() && or_file {
                    return files_of_schemes(begun);
                }
                fitting
            }))
        }
        Some("profile") => arg.add(ArgValueCandidates::new(profiles)),
        Some("key") => arg.add(ArgValueCompleter::new(keys)),
        // Of `profile show` and `profile check`, the only positional of that name.
        None if arg.get_id() == "name" => arg.add(ArgValueCandidates::new(profiles)),
        _ if takes_file(&arg) => arg.value_hint(ValueHint::FilePath),
        _ => arg,
    })
}

fn takes_file(arg: &clap::Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    names
        .iter()
        .any(|name| ["FILE", "FILE|token", "SCHEME|FILE", "DIR"].contains(&name.as_str()))
}

fn files_of_schemes(begun: &OsStr) -> Vec<CompletionCandidate> {
    let files = PathCompleter::file();
    let files = files.filter(|path| path.extension() == Some("toml".as_ref()));
    files.complete(begun)
}

/// The names that the command offers, and where it takes them, those of files.
fn schemes(names: &[PossibleValue], takes_own: bool, begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun_text = begun.to_string_lossy();
    let offered = names.iter().filter(|name| !name.is_hide_set());
    let offered = offered.map(PossibleValue::get_name);
    let configured = if takes_own {
        configured()
    } else {
        Profiles::default()
    };
    let own = configured.schemes().iter().map(|own| own.name());
    let fitting = offered
        .chain(own)
        .filter(|name| name.starts_with(&*begun_text));
    let candidate = |name: &str| {
        let title = Scheme::by_name(name).map(|scheme| scheme.title().into());
        CompletionCandidate::new(name).help(title)
    };
    fitting.map(candidate).collect()
}

fn profiles() -> Vec<CompletionCandidate> {
    let profiles = configured();
    let names = profiles.iter();
    names
        .map(|(name, _)| CompletionCandidate::new(name))
        .collect()
}

/// Those of the file that the begun line names, or of the machine's files and the user's.
fn configured() -> Profiles {
    let line: Vec<_> = env::args_os().skip_while(|it| it != "--").skip(1).collect();
    ProfileChoice::of(&line).all_profiles().unwrap_or_default()
}

/// Tokens of the modules that p11-kit knows, and what they show of their keys without a login; ports of gateways.
fn keys(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let is_meant = |uri: &str| uri.starts_with(&*begun);
    let mut found = Vec::new();
    if begun.starts_with("device:") {
        found.extend(ports().into_iter().filter(|uri| is_meant(uri)));
    } else if "pkcs11:".starts_with(&*begun) || begun.starts_with("pkcs11:") {
        let scans = scan::quietly(LIMIT);
        let tokens = scans
            .iter()
            .filter_map(|scan| scan.report["tokens"].as_array())
            .flatten();
        for token in tokens {
            let keys = token["keys"].as_array().into_iter().flatten();
            let uris = keys.map(|key| &key["uri"]).chain([&token["uri"]]);
            let uris = uris.filter_map(Value::as_str);
            found.extend(uris.filter_map(|uri| continued(&begun, uri)));
        }
    }
    if found.is_empty() {
        let kinds = ["pkcs11:", "yubihsm:", "device:"]
            .into_iter()
            .filter(|kind| is_meant(kind));
        found.extend(kinds.map(str::to_owned));
    }
    found.into_iter().map(CompletionCandidate::new).collect()
}

/// The URI with its attributes in the order in which somebody began it: `pkcs11:token=` is the begin of every key's.
fn continued(begun: &str, uri: &str) -> Option<String> {
    if uri.starts_with(begun) {
        return Some(uri.to_owned());
    }
    let uri = uri.strip_prefix("pkcs11:")?;
    let (path, query) = uri.split_at(uri.find('?').unwrap_or(uri.len()));
    let mut rest: Vec<_> = path.split(';').collect();
    let mut said = Vec::new();
    for attribute in begun.strip_prefix("pkcs11:")?.split_inclusive(';') {
        let is_it = |it: &&str| match attribute.strip_suffix(';') {
            Some(whole) => *it == whole,
            None => it.starts_with(attribute),
        };
        said.push(rest.remove(rest.iter().position(is_it)?));
    }
    said.append(&mut rest);
    Some(format!("pkcs11:{}{query}", said.join(";")))
}

/// Serial ports that a gateway may be at.
fn ports() -> Vec<String> {
    let entries = std::fs::read_dir("/dev/serial/by-id")
        .into_iter()
        .flatten()
        .flatten();
    let paths = entries.map(|entry| entry.path().into_os_string());
    let paths = paths.filter_map(|path: OsString| path.into_string().ok());
    paths.map(|path| format!("device:{path}")).collect()
}
