//! The audit log: a line for each assertion, linked to the line before it, on the disk before the assertion leaves.
//!
//! A line is a JSON object whose last member is `link`: SHA-256 of the link before and of the line's bytes up to
//! `,"link":`. The first line of a file says as `before` what it is linked to: the last link of the file that was
//! there before it, or else that of a new log ([`privyseal_protocol::log`]).

mod check;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use privyseal::base::clock;
use privyseal_core::{SignerError, SignerErrorKind};
use privyseal_hsm::lock;
use privyseal_protocol::log::{LINK_LEN, first_link, link_after};
use serde::Serialize;

pub use check::{AuditSummary, check};

type Link = [u8; LINK_LEN];

/// The longest line, in bytes: far more than any entry has.
const MAX_LINE: u64 = 16 * 1024;

/// As many characters of a line without its end are kept: more than most lines have.
const MAX_TORN: usize = 1024;

/// What is written down of one assertion. Never the assertion.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct AuditEntry<'a> {
    /// `opened`, `signed`, `failed`, or `tested`: after a write that failed, another one that did not. A `failed` that
    /// repeats the `jti` of a `signed` takes that back.
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
    /// The file cannot be read.
    #[error("the audit log {} cannot be read: {source}", path.display())]
    Read {
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
    /// The file is not as it was left, and so something was taken from it.
    #[error("the audit log {} {problem}", path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// What was found, as a clause about it.
        problem: String,
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
    log: Arc<LogFile>,
    len: u64,
    sequence: u64,
    link: Link,
    /// Whether the last write failed.
    is_failing: bool,
    is_broken: bool,
}

#[derive(Debug)]
struct LogFile {
    file: File,
    /// How much of it is on the disk; nobody knows after that failed.
    synced: Mutex<Option<u64>>,
}

/// A line that may not be on the disk yet: the file, and where the line ends.
pub(crate) struct Unsynced(Arc<LogFile>, u64);

impl AuditLog {
    /// Opens a log, or begins one, and reads it whole: its chain must be unbroken. A last line without its end, as a loss
    /// of power leaves it, is cut off, and repeated as the reason of the next one. Without `sync` the operating
    /// system is trusted to write what it was given.
    ///
    /// # Errors
    ///
    /// [`AuditError`].
    pub fn open(path: &Path, sync: bool) -> Result<Self, AuditError> {
        let (state, torn) = open(path, None)?;
        let log = Self {
            path: path.to_owned(),
            sync,
            state: Mutex::new(state),
        };
        log.note_opened(&torn)?;
        Ok(log)
    }

    /// Opens the file again: for one that was moved away, in whose place a new one begins, linked to it.
    ///
    /// # Errors
    ///
    /// [`AuditError`]: also where a file that is there does not end with the last line that was written; the log
    /// stays as it was.
    pub fn reopen(&self) -> Result<(), AuditError> {
        let torn = {
            let mut state = self.state();
            if is_at(&state.log.file, &self.path) {
                if state.check(&self.path).is_ok() {
                    return Ok(());
                }
                // It is opened again below.
                let _ = state.log.file.unlock();
            }
            let (opened, torn) = open(&self.path, Some((state.sequence, state.link)))?;
            *state = opened;
            torn
        };
        self.note_opened(&torn)
    }

    fn note_opened(&self, torn: &[u8]) -> Result<(), AuditError> {
        let mut entry = AuditEntry::new("opened");
        let lost = String::from_utf8_lossy(torn);
        let lost: String = lost.chars().take(MAX_TORN).collect();
        let reason = format!("cut off a last line without its end: {lost}");
        if !torn.is_empty() {
            let bytes = torn.len();
            tracing::warn!(bytes, "the audit log ended in a line without its end");
            entry.reason = Some(&reason);
        }
        self.append(entry)
    }

    /// Writes a line. When this returns, it is on the disk.
    ///
    /// # Errors
    ///
    /// [`AuditError`]: nothing may leave of which this is the line.
    pub fn append(&self, entry: AuditEntry<'_>) -> Result<(), AuditError> {
        self.write(entry)?
            .map_or(Ok(()), |unsynced| self.sync(&unsynced))
    }

    /// Writes a line, and gives what [`AuditLog::sync`] has yet to do before anything leaves.
    pub(crate) fn write(&self, entry: AuditEntry<'_>) -> Result<Option<Unsynced>, AuditError> {
        let time = clock::now()?.as_secs();
        let mut state = self.state();
        state.check(&self.path)?;
        state
            .write(time, entry)
            .map_err(|source| self.failed(source))?;
        let unsynced = || Unsynced(Arc::clone(&state.log), state.len);
        Ok(self.sync.then(unsynced))
    }

    /// Has the disk hold the log up to there. Of those that wait one does it, for all lines that are written by then.
    pub(crate) fn sync(&self, Unsynced(log, end): &Unsynced) -> Result<(), AuditError> {
        let mut synced = lock(&log.synced);
        if synced.ok_or_else(|| self.broken())? >= *end {
            return Ok(());
        }
        let written = {
            let state = self.state();
            // Meanwhile it may be another file.
            let is_same = Arc::ptr_eq(&state.log, log);
            if is_same { state.len } else { *end }
        };
        let outcome = log.file.sync_data();
        *synced = outcome.is_ok().then_some(written);
        outcome.map_err(|source| {
            self.state().is_broken = true;
            self.failed(source)
        })
    }

    /// Whether the next line can be written, as far as that shows before: room is reserved for it, and where the last
    /// write failed, a line of its own is written.
    ///
    /// # Errors
    ///
    /// [`AuditError`]: nothing could leave now.
    pub fn test(&self) -> Result<(), AuditError> {
        let is_failing = {
            let state = self.state();
            state.check(&self.path)?;
            state.reserve().map_err(|source| self.failed(source))?;
            state.is_failing
        };
        if is_failing {
            return self.append(AuditEntry::new("tested"));
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn broken(&self) -> AuditError {
        let path = self.path.clone();
        AuditError::Broken { path }
    }

    fn failed(&self, source: io::Error) -> AuditError {
        let path = self.path.clone();
        AuditError::Write { path, source }
    }
}

impl State {
    /// Whether the file is as it was left.
    fn check(&self, path: &Path) -> Result<(), AuditError> {
        let path = || path.to_owned();
        if self.is_broken {
            return Err(AuditError::Broken { path: path() });
        }
        let found = self.log.file.metadata();
        let found = found.map_err(|source| AuditError::Write {
            path: path(),
            source,
        })?;
        let problem = match found.len() {
            _ if found.nlink() == 0 => "was removed while it was open".to_owned(),
            len if len != self.len => format!("has {len} bytes, and {} were written", self.len),
            _ => return Ok(()),
        };
        Err(AuditError::Lost {
            path: path(),
            problem,
        })
    }

    /// Room for the longest line, where the file system can reserve it.
    #[cfg(target_os = "linux")]
    fn reserve(&self) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        match fallocate(
            &self.log.file,
            FallocateFlags::KEEP_SIZE,
            self.len,
            MAX_LINE,
        ) {
            Err(error) if error == Errno::NOSPC || error == Errno::DQUOT => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Found out when the line is written.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Linux")]
    const fn reserve(&self) -> io::Result<()> {
        Ok(())
    }

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
        let written = (&self.log.file).write_all(&text);
        self.is_failing = written.is_err();
        if let Err(error) = written {
            // Nothing of it may stay, or the next line would end this one.
            self.is_broken = self.log.file.set_len(self.len).is_err();
            return Err(error);
        }
        self.len += text.len() as u64;
        self.sequence += 1;
        self.link = next;
        Ok(())
    }
}

/// The log, and the bytes of a line without its end that were cut off.
fn open(path: &Path, before: Option<(u64, Link)>) -> Result<(State, Vec<u8>), AuditError> {
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
    // A new file's name must be on the disk, too.
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = File::open(folder.unwrap_or(Path::new(".")));
    folder
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    let (sequence, link) = match (read.end, before) {
        (Some(end), Some(before)) if end != before => {
            let problem = "does not end with the last line that was written".to_owned();
            let path = path.to_owned();
            return Err(AuditError::Lost { path, problem });
        }
        (Some(end), _) => end,
        (None, Some(before)) => before,
        (None, None) => (0, new_log()?),
    };
    file.set_len(read.len).map_err(failed)?;
    let synced = Mutex::new(Some(0));
    let state = State {
        log: Arc::new(LogFile { file, synced }),
        len: read.len,
        sequence,
        link,
        is_failing: false,
        is_broken: false,
    };
    Ok((state, read.torn))
}

/// What the first line of a new log is linked to.
fn new_log() -> Result<Link, AuditError> {
    let mut id = [0; 12];
    getrandom::fill(&mut id).map_err(privyseal::base::BaseError::Entropy)?;
    Ok(first_link(&id))
}

/// Whether the path still names this file.
fn is_at(file: &File, path: &Path) -> bool {
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
