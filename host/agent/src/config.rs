//! The table `[agent]` of a file of profiles.

use std::env;
use std::net::SocketAddr;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use privyseal::base::file::InputFile;
use privyseal::profile::{Profile, Profiles};
use privyseal_hsm::{Secret, SecretUnavailable};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::AgentError;

/// The shortest bearer token, in bytes, and the longest.
const MIN_BEARER: usize = 16;
const MAX_BEARER: usize = 4096;

/// What the agent is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentConfig {
    /// The Unix socket.
    pub socket: PathBuf,
    /// The audit log.
    pub audit_log: PathBuf,
    /// Whether each line is synced to the disk.
    pub audit_sync: bool,
    /// Whether a PIN file that every user of this machine can read is refused; otherwise that is a warning.
    pub strict_pin_files: bool,
    /// A TCP address on loopback, and who may ask there.
    pub tcp: Option<(SocketAddr, Arc<Secret>)>,
    /// Who may see the metrics, besides root, the agent's own user and those with the bearer token.
    pub metrics_uids: Vec<u32>,
    /// Those that somebody may ask for.
    pub profiles: Vec<Profile>,
}

/// The members of `[agent]`, and what each says.
pub const AGENT_MEMBERS: &[(&str, &str)] = &[
    (
        "socket",
        "the Unix socket; by default `agent.sock` where systemd says, or in `/run/privyseal`",
    ),
    (
        "audit-log",
        "the audit log; by default `audit.jsonl` where systemd says, or in `/var/log/privyseal`",
    ),
    (
        "audit-sync",
        "whether each line is on the disk before its assertion leaves; by default `true`",
    ),
    (
        "strict-pin-files",
        "whether a PIN file that every user can read is refused; by default that is a warning",
    ),
    (
        "metrics-uids",
        "who may see the metrics, besides root and the agent's own user",
    ),
    (
        "listen",
        "a TCP address on loopback, such as `127.0.0.1:9461`; wants `token-file`",
    ),
    (
        "token-file",
        "the file with the bearer token of those who ask over TCP, 16 bytes at least",
    ),
];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AgentTable {
    socket: Option<PathBuf>,
    audit_log: Option<PathBuf>,
    audit_sync: Option<bool>,
    #[serde(default)]
    strict_pin_files: bool,
    #[serde(default)]
    metrics_uids: Vec<u32>,
    listen: Option<SocketAddr>,
    token_file: Option<PathBuf>,
}

impl AgentConfig {
    /// Reads a file. Profiles without `allow-uids` are not served. Paths that are not said are those that systemd
    /// gives a service, or below `/run` and `/var/log`.
    ///
    /// # Errors
    ///
    /// [`AgentError`]: the file breaks a rule, or serves nothing.
    pub fn read(path: &Path) -> Result<Self, AgentError> {
        let (profiles, table) = Profiles::with_agent::<AgentTable>(path)?;
        let table = table.unwrap_or_default();
        let tcp = match (table.listen, table.token_file) {
            (Some(address), _) if !address.ip().is_loopback() => {
                return Err(AgentError::NotLoopback(address));
            }
            (Some(address), Some(file)) => Some((address, Arc::new(bearer(file)?))),
            (Some(_), None) => return Err(AgentError::NoBearer),
            (None, Some(_)) => return Err(AgentError::NoListen),
            (None, None) => None,
        };
        let (served, unserved): (Vec<_>, Vec<_>) = profiles
            .iter()
            .partition(|(_, profile)| profile.allowed_uids().is_some());
        for (profile, _) in unserved {
            tracing::warn!(profile, "a profile without allow-uids is not served");
        }
        let profiles: Vec<_> = served.into_iter().map(|(_, it)| it.clone()).collect();
        if profiles.is_empty() {
            return Err(AgentError::NothingServed);
        }
        for profile in &profiles {
            // What needs no key is found at the start.
            let name = profile.name().unwrap_or_default();
            profile.check().map_err(|error| error.of_profile(name))?;
        }
        let socket = table.socket;
        let socket = socket
            .unwrap_or_else(|| folder("RUNTIME_DIRECTORY", "/run/privyseal").join("agent.sock"));
        let log = table.audit_log;
        let log = log
            .unwrap_or_else(|| folder("LOGS_DIRECTORY", "/var/log/privyseal").join("audit.jsonl"));
        let unfit = |member, path: &Path, reason| AgentError::Path {
            member,
            path: path.to_owned(),
            reason,
        };
        if socket.file_name().is_none() || UnixAddr::from_pathname(&socket).is_err() {
            let reason = "a socket has a path, of 107 bytes at most";
            return Err(unfit("agent.socket", &socket, reason));
        }
        if log.file_name().is_none() {
            return Err(unfit("agent.audit-log", &log, "it names no file"));
        }
        Ok(Self {
            socket,
            audit_log: log,
            audit_sync: table.audit_sync.unwrap_or(true),
            strict_pin_files: table.strict_pin_files,
            tcp,
            metrics_uids: table.metrics_uids,
            profiles,
        })
    }

    /// Checks the table `[agent]` of a file, and what is served by it, as far as that goes before the start. Nothing where
    /// there is no such table.
    ///
    /// # Errors
    ///
    /// As [`AgentConfig::read`].
    pub fn check(path: &Path) -> Result<Option<Self>, AgentError> {
        let (_, table) = Profiles::with_agent::<IgnoredAny>(path)?;
        table.map(|_| Self::read(path)).transpose()
    }

    /// The members that say something else here and cannot change while the agent runs.
    pub(crate) fn fixed_members_unlike(&self, other: &Self) -> Vec<&'static str> {
        let address = |config: &Self| config.tcp.as_ref().map(|(address, _)| *address);
        let bearer = |config: &Self| config.tcp.clone().map(|(_, bearer)| bearer);
        let members = [
            ("socket", self.socket != other.socket),
            ("audit-log", self.audit_log != other.audit_log),
            ("audit-sync", self.audit_sync != other.audit_sync),
            ("listen", address(self) != address(other)),
            ("token-file", bearer(self) != bearer(other)),
        ];
        let unlike = members.into_iter().filter(|(_, differs)| *differs);
        unlike.map(|(member, _)| member).collect()
    }
}

fn folder(variable: &str, usual: &str) -> PathBuf {
    let given = env::var_os(variable).map(PathBuf::from);
    given
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| usual.into())
}

fn bearer(path: PathBuf) -> Result<Secret, AgentError> {
    let file = InputFile::open(&path)?;
    if file.is_readable_by_all() {
        return Err(AgentError::BearerReadable(path));
    }
    let text = file.read_text(MAX_BEARER)?;
    let text = text.trim_end_matches(['\r', '\n']);
    let secret = match text.len() {
        MIN_BEARER.. => Secret::new(text),
        _ => Err(SecretUnavailable::new(format!(
            "it has fewer than {MIN_BEARER} bytes"
        ))),
    };
    secret.map_err(|error| AgentError::Bearer { path, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_that_are_listed_are_those_that_are_read() {
        let error = toml_error();
        let expected = error.split("expected one of ").nth(1).unwrap();
        // Behind them stands which table it was.
        let expected = expected.split(['\n', ';']).next().unwrap();
        let expected = expected.split(" in `").next().unwrap();
        let names: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
        let listed: Vec<_> = AGENT_MEMBERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, listed);
    }

    fn toml_error() -> String {
        let path = env::temp_dir().join(format!("privyseal-members-{}", std::process::id()));
        std::fs::write(&path, "[agent]\nunknown = 1\n").unwrap();
        let error = AgentConfig::read(&path).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        error
    }
}
