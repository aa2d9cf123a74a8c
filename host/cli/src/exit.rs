//! What a run of the command ends with, for scripts.

use privyseal::ErrorKind;
use privyseal_gateway::DeviceError;
use privyseal_receiver::server::ServerError;

use crate::error::CliError;

/// The exit codes of `privyseal`. The order is the order of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// A rule is broken (of a scheme, a certificate chain, a claim), or a token was refused.
    Refused = ErrorKind::Refused.number(),
    /// The command line or a file that it names cannot be used as it is.
    Usage = ErrorKind::Input.number(),
    /// Trouble with the key, its token or device, or the PIN.
    Key = ErrorKind::Key.number(),
    /// Trouble with the server or the network.
    Server = ErrorKind::Server.number(),
    /// No rule is broken, but something that counts was not judged: trust, mostly.
    NotJudged = 5,
    /// The result could not be written.
    Output = 6,
    /// What came is printed, but UserInfo is missing, or the id_token could not be judged.
    Partial = 7,
    /// Another program has the gateway's line, or its rate limit is reached: later it may do.
    Busy = 8,
}

/// Each with what it means, for the documentation.
pub(crate) const EXITS: [(Exit, &str); 9] = [
    (Exit::Done, "done"),
    (Exit::Refused, "a rule is broken, or a token was refused"),
    (Exit::Usage, "wrong usage"),
    (Exit::Key, "the key, its token or its PIN"),
    (Exit::Server, "the server or the network"),
    (
        Exit::NotJudged,
        "no rule of a checked token is broken, but trust was not judged",
    ),
    (Exit::Output, "the result could not be written"),
    (
        Exit::Partial,
        "`login`, `ciba`: who the person is was proved and printed, but UserInfo, or the id_token beside it, is missing; \
         `refresh`: the tokens are printed, but the id_token could not be judged",
    ),
    (
        Exit::Busy,
        "another program has the gateway's line, or its rate limit is reached: later, or with `--wait SECONDS`, it may do",
    ),
];

impl Exit {
    /// The number that the process returns.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// How a run that failed ends.
    pub(crate) fn of(error: &CliError) -> Self {
        match error {
            CliError::Option { .. } | CliError::Missing { .. } | CliError::FileContent { .. } => {
                Self::Usage
            }
            CliError::RulesBroken { .. } | CliError::NobodyCameBack { .. } => Self::Refused,
            CliError::UserInfoMissing(_)
            | CliError::IdTokenMissing(_)
            | CliError::IdTokenNotJudged(_) => Self::Partial,
            CliError::NotJudged { .. } => Self::NotJudged,
            CliError::Serve(ServerError::NotLoopback(_)) => Self::Usage,
            CliError::Serve(_) => Self::Server,
            CliError::Output(_) | CliError::OutputFile { .. } => Self::Output,
            #[cfg(feature = "agent")]
            CliError::Agent(error) => error.kind().into(),
            CliError::Examined { kind, .. } => (*kind).into(),
            CliError::Library(error) if is_busy(error) => Self::Busy,
            CliError::Library(error) => error.kind().into(),
        }
    }
}

fn is_busy(error: &privyseal::Error) -> bool {
    error.find::<DeviceError>().is_some_and(|error| {
        matches!(error, DeviceError::InUse { .. }) || error.retry_after().is_some()
    })
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Input => Self::Usage,
            ErrorKind::Key => Self::Key,
            ErrorKind::Server => Self::Server,
            _ => Self::Refused,
        }
    }
}
