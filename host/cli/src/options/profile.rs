//! What a profile and the environment say, as the defaults of options: an option of the same name comes first.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{ArgPredicate, Resettable};
use clap::{Arg, ArgAction, Command, value_parser};
use privyseal::profile::{PROFILE_VARIABLE, Profile, ProfileError, Profiles, Value};

use super::scheme::with_own_schemes;
use crate::error::CliError;
use crate::output::say;

const PROFILE: &str = "profile";
const CONFIG: &str = "config";

/// Which profile is meant, before anything else of the command line is read.
#[derive(Default)]
pub(crate) struct ProfileChoice {
    name: Option<String>,
    config: Option<PathBuf>,
    /// Whether the key is not the profile's.
    names_key: bool,
    /// The words that name the command.
    words: Vec<String>,
}

impl ProfileChoice {
    pub(crate) fn of(arguments: &[OsString]) -> Self {
        let mut choice = Self::default();
        let mut rest = arguments.iter().skip(1);
        while let Some(argument) = rest.next() {
            let text = argument.to_string_lossy();
            let (option, mut value) = match text.split_once('=') {
                Some((option, value)) => (option, Some(OsString::from(value))),
                None => (&*text, None),
            };
            match option {
                "--" => break,
                "--key" => choice.names_key = true,
                "--profile" | "--config" => {
                    value = value.or_else(|| rest.next().cloned());
                    match option {
                        "--config" => choice.config = value.map(PathBuf::from),
                        _ => choice.name = value.map(|it| it.to_string_lossy().into_owned()),
                    }
                }
                _ if !option.starts_with('-') => choice.words.push(text.into_owned()),
                _ => {}
            }
        }
        choice
    }

    /// The command line with what profile and environment say, for the command that is meant.
    pub(crate) fn apply(&self, command: Command) -> Result<Command, CliError> {
        let command = with_profile_options(command);
        let Some(path) = self.path_of_leaf(&command) else {
            if self.name.is_some() && !self.words.is_empty() {
                let reason = "is for commands that use a client's key";
                return Err(CliError::option("--profile", reason));
            }
            return Ok(command);
        };
        let profiles = self.profiles()?;
        let profile = profiles.profile(self.name.as_deref())?;
        if path == ["ciba"]
            && let (Some(name), Ok(scheme)) = (profile.name(), profile.scheme())
            && scheme.name() != "itsme"
        {
            let reason = format!("{name} is for {}, and ciba for itsme", scheme.title());
            return Err(CliError::option("the profile", reason));
        }
        Ok(at_leaf(command, &path, &|command| {
            if !self.names_key {
                say_which_key(&command, &profile);
            }
            with_defaults(with_schemes(command, &profiles), &profile)
        }))
    }

    pub(crate) fn profiles(&self) -> Result<Profiles, CliError> {
        let named = self.name.is_some() || std::env::var_os(PROFILE_VARIABLE).is_some();
        Ok(match &self.config {
            Some(path) => Profiles::from_file(path)?,
            None if named => Profiles::load()?,
            None => Profiles::default(),
        })
    }

    /// The profiles that could be named: of the file that is given, or else of all.
    pub(crate) fn all_profiles(&self) -> Result<Profiles, ProfileError> {
        let file = self.config.as_deref();
        file.map_or_else(Profiles::load, Profiles::from_file)
    }

    /// The names that lead to the command, if it is one that takes profiles.
    fn path_of_leaf(&self, root: &Command) -> Option<Vec<String>> {
        let (mut command, mut path) = (root, Vec::new());
        for word in &self.words {
            let Some(next) = command.find_subcommand(word) else {
                continue;
            };
            path.push(word.clone());
            command = next;
        }
        takes_profiles(command).then_some(path)
    }
}

/// A command that uses a client's key.
fn takes_profiles(command: &Command) -> bool {
    command.get_arguments().any(|arg| {
        let value = arg.get_value_names().and_then(<[_]>::first);
        arg.get_long() == Some("key") && value.is_some_and(|name| name.as_str() == "URI")
    })
}

/// Offers the choice wherever it is of use, and before the command's name.
pub(crate) fn with_profile_options(root: Command) -> Command {
    let [profile, config] = arguments();
    let root = below(root).args([profile.hide(true), config.hide(true)]);
    if cfg!(feature = "agent") {
        let agent = Arg::new("agent")
            .long("agent")
            .value_name("SOCKET")
            .help_heading("Profiles")
            .help("Ask the agent at this socket for it, by --profile alone");
        let asks = |command: Command| command.arg(agent.clone());
        return root
            .mut_subcommand("sign", asks)
            .mut_subcommand("token", asks);
    }
    root
}

fn below(command: Command) -> Command {
    let command = command.mut_subcommands(below);
    if takes_profiles(&command) {
        command.args(arguments())
    } else {
        command
    }
}

fn arguments() -> [Arg; 2] {
    let profile = Arg::new(PROFILE)
        .long(PROFILE)
        .value_name("NAME")
        .help_heading("Profiles")
        .help("Take what is not said here from this profile, or else from PRIVYSEAL_PROFILE's");
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help_heading("Profiles")
        .help("Read profiles from this file only");
    [profile, config]
}

fn at_leaf(command: Command, path: &[String], change: &dyn Fn(Command) -> Command) -> Command {
    match path {
        [] => change(command),
        [name, rest @ ..] => command.mut_subcommand(name, |next| at_leaf(next, rest, change)),
    }
}

/// With the schemes of the files.
fn with_schemes(command: Command, profiles: &Profiles) -> Command {
    command.mut_args(|arg| match arg.get_long() {
        Some("scheme") if !profiles.schemes().is_empty() => {
            with_own_schemes(arg, profiles.schemes())
        }
        _ => arg,
    })
}

fn with_defaults(command: Command, profile: &Profile) -> Command {
    let name = command.get_name().to_owned();
    let ids: Vec<_> = command
        .get_arguments()
        .map(|arg| arg.get_id().clone())
        .collect();
    command.mut_args(|arg| {
        let long = arg.get_long().unwrap_or_default().to_owned();
        let said = profile.members().find(|(member, ..)| *member == long);
        // Elsewhere it is another scope: that of an authentication request.
        let said = said.filter(|_| long != "scope" || name == "token");
        let Some((member, value, _)) = said else {
            return arg;
        };
        // The keys of a JWK Set are several; those of a profile are one.
        let several = matches!(arg.get_action(), ArgAction::Append) && name != "jwks";
        if several && member != "key" {
            return arg;
        }
        let alternatives = Profile::alternatives(member);
        let given = ids.iter().filter(|id| {
            let id = id.as_str().replace('_', "-");
            alternatives.contains(&id.as_str())
        });
        let arg = given.fold(arg, |arg, id| {
            arg.default_value_if(id.clone(), ArgPredicate::IsPresent, Resettable::Reset)
        });
        arg.required(false).default_values(texts(value, several))
    })
}

/// A command that takes one key has the first reference of several.
fn say_which_key(command: &Command, profile: &Profile) {
    let mut members = profile.members();
    let keys = members.find_map(|(member, value, _)| match value {
        Value::Texts(keys) if member == "key" => Some(keys.len()),
        _ => None,
    });
    let mut arguments = command.get_arguments();
    let takes_one = arguments
        .any(|arg| arg.get_long() == Some("key") && !matches!(arg.get_action(), ArgAction::Append));
    let name = command.get_name();
    if let Some(count @ 2..) = keys.filter(|_| takes_one || name == "jwks") {
        say!("{name} uses the first of the profile's {count} references to its key");
    }
}

/// As the option takes it; of several references to a key the first, where it takes one.
fn texts(value: &Value, several: bool) -> Vec<String> {
    match value {
        Value::Text(text) => vec![text.clone()],
        Value::Texts(texts) if several => texts.clone(),
        Value::Texts(texts) => texts.iter().take(1).cloned().collect(),
        other => vec![other.to_string()],
    }
}
