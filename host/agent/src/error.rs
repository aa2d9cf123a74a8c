//! Why the agent does not start, or does not answer.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use privyseal::ErrorKind;
use privyseal::base::BaseError;
use privyseal::profile::ProfileError;
use privyseal_hsm::SecretUnavailable;

use crate::audit::AuditError;

/// Why there is no agent, or no answer of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The configuration, or a profile.
    #[error("{0}")]
    Profile(#[from] ProfileError),
    /// A file cannot be read.
    #[error("{0}")]
    Base(#[from] BaseError),
    /// The audit log.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// The bearer token.
    #[error("the bearer token in {} cannot be used: {error}", path.display())]
    Bearer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: SecretUnavailable,
    },
    /// A bearer token that is nobody's secret.
    #[error("the bearer token in {} can be read by every user of this machine", .0.display())]
    BearerReadable(PathBuf),
    /// A TCP address without a bearer token.
    #[error("agent.listen is there without agent.token-file: over TCP nobody knows who asks")]
    NoBearer,
    /// A bearer token that nobody can show.
    #[error("agent.token-file is there without agent.listen: it is for those who ask over TCP")]
    NoListen,
    /// A path that can be none of a socket or of a file.
    #[error("{member} is {:?}: {reason}", path.display())]
    Path {
        /// The member of `[agent]`.
        member: &'static str,
        /// What it says.
        path: PathBuf,
        /// Why it cannot be.
        reason: &'static str,
    },
    /// A TCP address that others can reach.
    #[error("agent.listen is {0}, which is not a loopback address: the agent does no TLS")]
    NotLoopback(SocketAddr),
    /// Nobody may ask for anything.
    #[error("no profile has allow-uids, so there is nothing to serve")]
    NothingServed,
    /// An address or a path cannot be listened at.
    #[error("the agent cannot listen at {at}: {source}")]
    Listen {
        /// Where.
        at: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another agent is there.
    #[error("another process listens at {}", .0.display())]
    InUse(PathBuf),
    /// The runtime or a signal handler.
    #[error("the agent cannot run: {0}")]
    Runtime(#[source] io::Error),
    /// A question to an agent got no answer.
    #[error("the agent at {} does not answer: {reason}", socket.display())]
    NoAnswer {
        /// Where.
        socket: PathBuf,
        /// Why not.
        reason: String,
    },
    /// An agent refused.
    #[error("the agent refused ({status}): {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its word for it, one of those in [`crate::OPENAPI`].
        kind: String,
        /// What it says, made safe for display.
        detail: String,
    },
}

impl AgentError {
    /// What kind of trouble it is: the same as without an agent.
    pub fn kind(&self) -> ErrorKind {
        match self {
            // It was left out; 403 is for another one than the profile's.
            Self::Refused { kind, status, .. } if kind == "audience" && *status == 422 => {
                ErrorKind::Input
            }
            Self::Refused { kind, .. } => match kind.as_str() {
                "key" | "timeout" => ErrorKind::Key,
                "configuration" => ErrorKind::Input,
                "server" | "busy" | "audit" | "internal" | "" => ErrorKind::Server,
                _ => ErrorKind::Refused,
            },
            Self::NoAnswer { .. } => ErrorKind::Server,
            Self::Audit(AuditError::Changed { .. } | AuditError::Lost { .. }) => ErrorKind::Refused,
            _ => ErrorKind::Input,
        }
    }
}
