//! How a run of the command can fail: what only the command knows, beside what the libraries say.

use core::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use privyseal::ErrorKind;
use privyseal::report::Subject;
use privyseal_receiver::server::ServerError;
use thiserror::Error;

/// Why the command did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// An option has a value that cannot be used.
    #[error("{option} {reason}")]
    Option {
        option: &'static str,
        reason: String,
    },
    /// An option is needed here.
    #[error("{option} is needed: {reason}")]
    Missing {
        option: &'static str,
        reason: String,
    },
    /// A file does not hold what it should.
    #[error("{} {reason}", path.display())]
    FileContent { path: PathBuf, reason: String },
    /// A report found broken rules; it says which.
    #[error("{}", if *count == 1 { "a rule is broken".to_owned() } else { format!("{count} rules are broken") })]
    RulesBroken { count: usize },
    /// A report found nothing broken, but something that counts was not judged.
    #[error("no rule is broken, but {subject} was not judged: {reason}")]
    NotJudged { subject: Subject, reason: String },
    /// An examination found trouble; its report says which.
    #[error("{}", if *count == 1 { "one thing is broken".to_owned() } else { format!("{count} things are broken") })]
    Examined { count: usize, kind: ErrorKind },
    /// Nobody came back from a login.
    #[error("nobody came back from the login within {seconds} s{good}")]
    NobodyCameBack { seconds: u64, good: String },
    /// The person is known, and that was printed; what the UserInfo endpoint says is not.
    #[error(
        "the claims of the id_token are verified and printed, those of UserInfo are missing: {0}"
    )]
    UserInfoMissing(#[source] privyseal::Error),
    /// What the UserInfo endpoint says was printed; the id_token could not be judged.
    #[error("the claims of UserInfo are printed, those of the id_token could not be verified: {0}")]
    IdTokenMissing(#[source] privyseal::Error),
    /// The tokens of a refresh were printed; the id_token among them could not be judged.
    #[error("the tokens are printed, and the id_token among them was not verified: {0}")]
    IdTokenNotJudged(#[source] privyseal::Error),
    /// Standard output did not take the result.
    #[error("cannot write the result: {0}")]
    Output(#[source] io::Error),
    /// A server does not run.
    #[error(transparent)]
    Serve(ServerError),
    /// A file did not take the result.
    #[error("cannot write the result to {}: {error}", path.display())]
    OutputFile {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    /// What an agent says, or why it does not start.
    #[cfg(feature = "agent")]
    #[error("{0}")]
    Agent(#[source] privyseal_agent::AgentError),
    /// What a library says.
    #[error(transparent)]
    Library(privyseal::Error),
}

impl CliError {
    /// An option whose value cannot be used: why not, as a clause about it.
    pub(crate) fn option(option: &'static str, reason: impl Display) -> Self {
        let reason = reason.to_string();
        Self::Option { option, reason }
    }

    /// A file that does not take the result.
    pub(crate) fn of_output(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self::OutputFile { path, error }
    }

    /// A file that does not hold what it should.
    pub(crate) fn of_content<E: Display>(path: &Path) -> impl FnOnce(E) -> Self + use<E> {
        let path = path.to_owned();
        |error| {
            let reason = format!("cannot be used: {error}");
            Self::FileContent { path, reason }
        }
    }

    /// An option that is needed, and why.
    pub(crate) fn missing(option: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Missing { option, reason }
    }
}

impl<E: Into<privyseal::Error>> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::Library(error.into())
    }
}
