//! `privyseal agent`: one process holds the keys; and the commands that ask it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use privyseal::AccessToken;
use privyseal::profile::PROFILE_VARIABLE;
use privyseal_agent::client::AgentClient;
use privyseal_agent::{AgentError, audit};

use super::output::print_line;
use crate::error::CliError;
use crate::token::output::TokenOutput;

/// Serve assertions and access tokens of profiles over a socket, to the users that each profile names
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Agent {
    #[command(subcommand)]
    action: Option<Action>,
    /// The file with [agent] and the profiles
    #[arg(long, value_name = "FILE", default_value = privyseal::profile::SYSTEM_FILE)]
    config: PathBuf,
}

#[derive(Subcommand)]
enum Action {
    /// Check the chain of an audit log and print its head
    CheckLog {
        /// The log
        file: PathBuf,
    },
}

impl Agent {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            None => privyseal_agent::run(&self.config).map_err(CliError::Agent),
            Some(Action::CheckLog { file }) => {
                let summary = audit::check(&file);
                let summary = summary.map_err(|error| CliError::Agent(error.into()))?;
                let (entries, before, head) = (summary.entries, summary.before, summary.head);
                let torn = match summary.torn {
                    0 => String::new(),
                    bytes => format!("\ntorn {bytes} bytes: a last line without its end"),
                };
                let text = format!("{entries} entries\nbefore {before}\nhead {head}{torn}");
                print_line(text.as_bytes())
            }
        }
    }
}

/// `sign` and `token` where an agent does it.
#[derive(Parser)]
#[command(name = "privyseal", disable_help_subcommand = true)]
pub(super) struct Asking {
    #[command(subcommand)]
    question: Question,
}

#[derive(Subcommand)]
enum Question {
    /// Have an agent sign a client assertion, and print it
    Sign {
        #[command(flatten)]
        whom: Whom,
        /// The audience, where the profile leaves it open
        #[arg(long, value_name = "ID")]
        audience: Option<String>,
    },
    /// Have an agent give an access token, and print it
    Token {
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        output: TokenOutput,
    },
}

#[derive(Args)]
struct Whom {
    /// The agent's socket
    #[arg(long, value_name = "SOCKET")]
    agent: PathBuf,
    /// The profile, as the agent knows it
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl Whom {
    fn profile(&self) -> Result<String, CliError> {
        let named = self
            .profile
            .clone()
            .or_else(|| env::var(PROFILE_VARIABLE).ok());
        named.ok_or_else(|| CliError::missing("--profile", "it is all that an agent is asked by"))
    }
}

impl Asking {
    /// Whether the command line names an agent.
    pub(super) fn is_meant(arguments: &[OsString]) -> bool {
        let before = arguments.iter().take_while(|argument| *argument != "--");
        before
            .map(|argument| argument.to_string_lossy())
            .any(|argument| argument == "--agent" || argument.starts_with("--agent="))
    }

    pub(super) fn run(self) -> Result<(), CliError> {
        match self.question {
            Question::Sign { whom, audience } => {
                let agent = AgentClient::new(&whom.agent);
                let assertion = agent.assertion(&whom.profile()?, audience.as_deref());
                print_line(assertion.map_err(CliError::Agent)?.as_bytes())
            }
            Question::Token { whom, output } => {
                let response = AgentClient::new(&whom.agent).token(&whom.profile()?);
                let token = AccessToken::from_response(response.map_err(CliError::Agent)?);
                let token = token.map_err(|error| {
                    CliError::Agent(AgentError::NoAnswer {
                        socket: whom.agent.clone(),
                        reason: error.to_string(),
                    })
                })?;
                output.write(&token)
            }
        }
    }
}
