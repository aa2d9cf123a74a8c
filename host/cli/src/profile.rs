//! `privyseal profile`: what is in the files of profiles.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use privyseal::base::clock;
use privyseal::profile::{Profile, Profiles};
#[cfg(feature = "agent")]
use privyseal_agent::AgentConfig;
use serde_json::{Map, Value, json};

use super::output::{print_json, print_line};
use crate::doctor::examine_profile;
use crate::error::CliError;
use crate::output::say;

/// List, show and check the profiles of /etc/privyseal/config.toml and ~/.config/privyseal/config.toml
#[derive(Subcommand)]
pub(super) enum ProfileCommand {
    /// List the names, each with its scheme
    List(Files),
    /// Show what a profile says, each member with where it was said
    Show(Show),
    /// Check all profiles and [agent], or one profile: what they say, and module, PIN file and chain, as far as that costs no PIN try
    Check(Check),
}

#[derive(Args)]
pub(super) struct Files {
    /// Read this file only
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Show {
    /// The profile, with what PRIVYSEAL_* says
    name: String,
    #[command(flatten)]
    files: Files,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Check {
    /// Only this profile
    name: Option<String>,
    #[command(flatten)]
    files: Files,
}

impl Files {
    fn read(&self) -> Result<Profiles, CliError> {
        Ok(self
            .config
            .as_deref()
            .map_or_else(Profiles::load, Profiles::from_file)?)
    }
}

impl ProfileCommand {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self {
            Self::List(files) => list(&files.read()?),
            Self::Show(show) => {
                let profiles = show.files.read()?;
                let profile = profiles.profile(Some(&show.name))?;
                if show.json {
                    print_json(&to_json(&profile))
                } else {
                    print_line(to_toml(&profile).trim_end().as_bytes())
                }
            }
            Self::Check(check) => check.run(),
        }
    }
}

fn list(profiles: &Profiles) -> Result<(), CliError> {
    let mut lines = String::new();
    for (name, profile) in profiles.iter() {
        let scheme = profile
            .scheme()
            .map_or("no scheme", |scheme| scheme.title());
        // Writing into a String cannot fail.
        let _ = writeln!(lines, "{name:<20} {scheme}");
    }
    if lines.is_empty() {
        say!("no file has a profile");
        return Ok(());
    }
    print_line(lines.trim_end().as_bytes())
}

impl Check {
    fn run(&self) -> Result<(), CliError> {
        let profiles = self.files.read()?;
        let one = self
            .name
            .as_deref()
            .map(|name| profiles.get(name))
            .transpose()?;
        let (mut lines, mut first) = (String::new(), None::<CliError>);
        let now = clock::now()?;
        #[cfg(feature = "agent")]
        let agents: Vec<_> = profiles
            .files()
            .iter()
            .map(|path| AgentConfig::check(path))
            .collect();
        #[cfg(feature = "agent")]
        let agent_is_strict = agents
            .iter()
            .flatten()
            .flatten()
            .any(|config| config.strict_pin_files);
        #[cfg(not(feature = "agent"))]
        let agent_is_strict = false;
        for (name, profile) in profiles.iter() {
            if one.is_some_and(|one| one.name() != Some(name)) {
                continue;
            }
            let is_strict = agent_is_strict && profile.allowed_uids().is_some();
            let looked = profile.check();
            let looked = looked.and_then(|()| examine_profile(profile, is_strict, now));
            let report = match looked {
                Ok(report) => report,
                Err(error) => {
                    let _ = writeln!(lines, "{name:<20} {error}");
                    first.get_or_insert(error.of_profile(name).into());
                    continue;
                }
            };
            let said = match report.broken() {
                0 => "good".to_owned(),
                count => {
                    let kind = report.kind();
                    first.get_or_insert(CliError::Examined { count, kind });
                    report.headline()
                }
            };
            // Writing into a String cannot fail.
            let _ = writeln!(lines, "{name:<20} {said}");
            for step in &report.steps {
                for finding in step.findings.findings() {
                    let _ = writeln!(lines, "  {:<8} {finding}", step.name);
                }
            }
        }
        #[cfg(feature = "agent")]
        for agent in agents.into_iter().filter(|_| one.is_none()) {
            let said = match agent {
                Ok(None) => continue,
                Ok(Some(_)) => "good".to_owned(),
                Err(error) => {
                    let said = error.to_string();
                    first.get_or_insert(CliError::Agent(error));
                    said
                }
            };
            let _ = writeln!(lines, "{:<20} {said}", "[agent]");
        }
        print_line(lines.trim_end().as_bytes())?;
        first.map_or(Ok(()), Err)
    }
}

/// As a file would have it.
fn to_toml(profile: &Profile) -> String {
    let mut text = String::new();
    if let Some(name) = profile.name() {
        let _ = writeln!(text, "[profile.{name}]");
    }
    for (member, value, origin) in profile.members() {
        let _ = writeln!(text, "{member} = {value} # {origin}");
    }
    text
}

fn to_json(profile: &Profile) -> Value {
    let members = profile.members().map(|(member, value, origin)| {
        let said = json!({ "value": value.to_string(), "from": origin.to_string() });
        (member.to_owned(), said)
    });
    json!({ "name": profile.name(), "members": members.collect::<Map<_, _>>() })
}
