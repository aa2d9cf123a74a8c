//! The table `[agent]` of a file of profiles.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use privyseal::base::file::InputFile;
use privyseal::profile::{Profile, Profiles};
use privyseal_hsm::{Secret, SecretUnavailable};
use serde::Deserialize;

use crate::error::AgentError;

/// The shortest bearer token, in bytes, and the longest.
const MIN_BEARER: usize = 16;
const MAX_BEARER: usize = 4096;

/// What the agent is told.
#[derive(Debug)]
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
    /// Those that somebody may ask for.
    pub profiles: Vec<Profile>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AgentTable {
    socket: Option<PathBuf>,
    audit_log: Option<PathBuf>,
    audit_sync: Option<bool>,
    #[serde(default)]
    strict_pin_files: bool,
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
            (None, _) => None,
        };
        let served = profiles.iter().map(|(_, profile)| profile);
        let served = served.filter(|profile| profile.allowed_uids().is_some());
        let profiles: Vec<_> = served.cloned().collect();
        if profiles.is_empty() {
            return Err(AgentError::NothingServed);
        }
        for profile in &profiles {
            // What needs no key is found at the start.
            profile.check()?;
        }
        let socket = table.socket;
        let socket = socket
            .unwrap_or_else(|| folder("RUNTIME_DIRECTORY", "/run/privyseal").join("agent.sock"));
        let log = table.audit_log;
        let log = log
            .unwrap_or_else(|| folder("LOGS_DIRECTORY", "/var/log/privyseal").join("audit.jsonl"));
        Ok(Self {
            socket,
            audit_log: log,
            audit_sync: table.audit_sync.unwrap_or(true),
            strict_pin_files: table.strict_pin_files,
            tcp,
            profiles,
        })
    }
}

fn folder(variable: &str, usual: &str) -> PathBuf {
    let given = env::var_os(variable).map(PathBuf::from);
    given
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| usual.into())
}

fn bearer(path: PathBuf) -> Result<Secret, AgentError> {
    let text = InputFile::open(&path)?.read_text(MAX_BEARER)?;
    let text = text.trim_end_matches(['\r', '\n']);
    let secret = match text.len() {
        MIN_BEARER.. => Secret::new(text),
        _ => Err(SecretUnavailable::new(format!(
            "it has fewer than {MIN_BEARER} bytes"
        ))),
    };
    secret.map_err(|error| AgentError::Bearer { path, error })
}
