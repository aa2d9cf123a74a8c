//! The audit log: a line for each assertion, linked to the line before it, on the disk before the assertion leaves.
//!
//! A line is a JSON object whose last member is `link`: SHA-256 of the link before and of the line's bytes up to
//! `,"link":`. The first line of a file says as `before` what it is linked to: the last link of the file that was
//! there before it, or else that of a new log ([`privyseal_protocol::log`]).

mod check;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use privyseal::base::clock;
use privyseal_core::{SignerError, SignerErrorKind};
use privyseal_protocol::log::{LINK_LEN, first_link, link_after};
use serde::Serialize;

pub use check::{AuditSummary, check};

type Link = [u8; LINK_LEN];

/// What is written down of one assertion. Never the assertion.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct AuditEntry<'a> {
    /// `opened`, `signed` or `failed`.
    pub event: &'a str,
    /// The profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<&'a str>,
    /// The scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<&'a str>,
    /// `aud`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<&'a str>,
    /// `jti`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<&'a str>,
    /// SHA-256 of the key's SubjectPublicKeyInfo, in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<&'a str>,
    /// Why there is no assertion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}

impl<'a> AuditEntry<'a> {
    /// Of an event, without anything else.
    pub const fn new(event: &'a str) -> Self {
        Self {
            event,
            profile: None,
            scheme: None,
            audience: None,
            jti: None,
            key: None,
            requester: None,
            reason: None,
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(flatten)]
    entry: AuditEntry<'a>,
}

/// Why nothing was written down, and so nothing may leave.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The file, or the disk.
    #[error("the audit log {} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process writes it.
    #[error("the audit log {} is written by another process", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A line is not what was written.
    #[error("the audit log {} was changed: line {line} {problem}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A write failed before, and nobody knows what reached the disk.
    #[error("the audit log {} failed before, and is not trusted until it is opened again", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// The clock, or no randomness.
    #[error("{0}")]
    Base(#[from] privyseal::base::BaseError),
}

impl SignerError for AuditError {
    fn kind(&self) -> SignerErrorKind {
        SignerErrorKind::Unavailable
    }
}

/// A log that is open for writing. One process has it.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    sync: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    len: u64,
    sequence: u64,
    link: Link,
    is_broken: bool,
}

impl AuditLog {
    /// Opens a log, or begins one, and reads it whole: its chain must be unbroken. A last line without its end, as a loss
    /// of power leaves it, is cut off: nothing left before its line was written. Without `sync` the operating
    /// system is trusted to write what it was given.
    ///
    /// # Errors
    ///
    /// [`AuditError`].
    pub fn open(path: &Path, sync: bool) -> Result<Self, AuditError> {
        let log = Self {
            path: path.to_owned(),
            sync,
            state: Mutex::new(open(path, None)?),
        };
        log.append(AuditEntry::new("opened"))?;
        Ok(log)
    }

    /// Opens the file again: for one that was moved away, in whose place a new one begins, linked to it.
    ///
    /// # Errors
    ///
    /// [`AuditError`]; the log stays as it was.
    pub fn reopen(&self) -> Result<(), AuditError> {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if !state.is_broken && is_at(&state.file, &self.path) {
                return Ok(());
            }
            if is_at(&state.file, &self.path) {
                // It is opened again below.
                let _ = state.file.unlock();
            }
            *state = open(&self.path, Some((state.sequence, state.link)))?;
        }
        self.append(AuditEntry::new("opened"))
    }

    /// Writes a line. When this returns, it is on the disk.
    ///
    /// # Errors
    ///
    /// [`AuditError`]: nothing may leave of which this is the line.
    pub fn append(&self, entry: AuditEntry<'_>) -> Result<(), AuditError> {
        let time = clock::now()?.as_secs();
        let file = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.is_broken {
                let path = self.path.clone();
                return Err(AuditError::Broken { path });
            }
            state
                .write(time, entry)
                .map_err(|source| self.failed(source))?;
            if !self.sync {
                return Ok(());
            }
            state
                .file
                .try_clone()
                .map_err(|source| self.failed(source))?
        };
        // Without the lock: the file system makes one write of those that wait.
        file.sync_data().map_err(|source| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_broken = true;
            self.failed(source)
        })
    }

    /// Whether a write failed and nobody knows what reached the disk.
    pub fn is_broken(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_broken
    }

    fn failed(&self, source: io::Error) -> AuditError {
        let path = self.path.clone();
        AuditError::Write { path, source }
    }
}

impl State {
    fn write(&mut self, time: u64, entry: AuditEntry<'_>) -> io::Result<()> {
        let begins = self.len == 0;
        let line = Line {
            sequence: self.sequence,
            time,
            before: begins.then(|| hex(&self.link)),
            entry,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.pop();
        let next = link_after(&self.link, &text);
        text.extend_from_slice(format!(",\"link\":\"{}\"}}\n", hex(&next)).as_bytes());
        if let Err(error) = self.file.write_all(&text) {
            // Nothing of it may stay, or the next line would end this one.
            self.is_broken = self.file.set_len(self.len).is_err();
            return Err(error);
        }
        self.len += text.len() as u64;
        self.sequence += 1;
        self.link = next;
        Ok(())
    }
}

fn open(path: &Path, before: Option<(u64, Link)>) -> Result<State, AuditError> {
    let failed = |source| AuditError::Write {
        path: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let file = options.open(path).map_err(failed)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => AuditError::Locked {
            path: path.to_owned(),
        },
        TryLockError::Error(source) => failed(source),
    })?;
    let read = check::read(&file, path)?;
    file.set_len(read.len).map_err(failed)?;
    // A new file's name must be on the disk, too.
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = File::open(folder.unwrap_or(Path::new(".")));
    folder
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    let (sequence, link) = match (read.end, before) {
        (Some(end), _) => end,
        (None, Some(before)) => before,
        (None, None) => (0, new_log()?),
    };
    Ok(State {
        file,
        len: read.len,
        sequence,
        link,
        is_broken: false,
    })
}

/// What the first line of a new log is linked to.
fn new_log() -> Result<Link, AuditError> {
    let mut id = [0; 12];
    getrandom::fill(&mut id).map_err(privyseal::base::BaseError::Entropy)?;
    Ok(first_link(&id))
}

/// Whether the path still names this file.
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn hex(link: &Link) -> String {
    use std::fmt::Write as _;
    link.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
