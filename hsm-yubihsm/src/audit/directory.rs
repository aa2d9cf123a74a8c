//! The audit directory: what was drained, and what we did.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use privyseal_hsm::read_bounded;

use super::entry::{LogEntry, verify};
use crate::device::Device;
use crate::error::AuditError;
use crate::error::Error;
use crate::limits::{LOG_CAPACITY, MAX_AUDIT_FILE};

/// A directory with the drained log of one device and our count of signatures. Any number of processes
/// may append at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditDir {
    path: PathBuf,
}

/// What a drain gave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Entries that were new.
    pub entries: Vec<LogEntry>,
    /// Starts of the device that it could not log because the log was full.
    pub unlogged_boots: u16,
    /// Logins that it could not log because the log was full.
    pub unlogged_logins: u16,
    /// Whether the proof of the chain begins with the first of these entries (a new directory).
    pub is_first: bool,
}

impl AuditDir {
    /// Uses `path`, which is made if it is missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        std::fs::create_dir_all(path).map_err(|source| AuditError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Reads the device's log, proves that it continues what was drained before, keeps the new entries,
    /// and then tells the device that it may forget them. The session needs the capability
    /// `get-log-entries`.
    ///
    /// # Errors
    /// The log does not prove or continue what was drained before, a file cannot be used, or a call of the
    /// device fails.
    pub fn drain(&self, device: &Device) -> Result<Drained, Error> {
        let known = self.entries()?;
        let log = device.call("GetLogEntries", yubihsm::Client::get_log_entries)?;
        let counted = usize::from(log.num_entries);
        if log.entries.len() != counted {
            return Err(AuditError::Truncated {
                counted,
                read: log.entries.len(),
            }
            .into());
        }
        let read: Vec<LogEntry> = log
            .entries
            .iter()
            .map(|entry| LogEntry {
                number: entry.item,
                command: entry.cmd.to_u8(),
                length: entry.length,
                session_key: entry.session_key,
                target_key: entry.target_key,
                second_key: entry.second_key,
                result: entry.result.to_u8(),
                tick: entry.tick,
                digest: entry.digest.0,
            })
            .collect();
        let last = read.last().map(|entry| entry.number);
        let entries = new_entries(&known, read)?;
        verify(known.last(), &entries)?;
        let lines: String = entries.iter().map(LogEntry::to_line).collect();
        self.append(DEVICE_LOG, &lines)?;
        if let Some(last) = last {
            device.call("SetLogIndex", move |client| client.set_log_index(last))?;
        }
        Ok(Drained {
            entries,
            unlogged_boots: log.unlogged_boot_events,
            unlogged_logins: log.unlogged_auth_events,
            is_first: known.is_empty(),
        })
    }

    /// Every entry that was ever drained into this directory, proved from the first to the last.
    ///
    /// # Errors
    /// The file cannot be read, a line of it is none of ours, or the chain does not prove.
    pub fn entries(&self) -> Result<Vec<LogEntry>, AuditError> {
        let mut entries: Vec<LogEntry> = Vec::new();
        self.read(DEVICE_LOG, |text| {
            let entry = LogEntry::from_line(text)?;
            // Two processes may have drained the same entries at the same time.
            let recent = entries.len().saturating_sub(2 * LOG_CAPACITY);
            if !entries[recent..].contains(&entry) {
                entries.push(entry);
            }
            Some(())
        })?;
        verify(None, &entries)?;
        Ok(entries)
    }

    /// One write, at the end, whatever others write; and on the disk when it returns.
    pub(super) fn append(&self, name: &str, text: &str) -> Result<(), AuditError> {
        if text.is_empty() {
            return Ok(());
        }
        let path = self.path.join(name);
        let written = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_data()
            });
        written.map_err(|source| AuditError::File { path, source })
    }

    /// Gives each line of a file; none if there is no file.
    pub(super) fn read(
        &self,
        name: &str,
        mut take: impl FnMut(&str) -> Option<()>,
    ) -> Result<(), AuditError> {
        let path = self.path.join(name);
        let mut content = Vec::new();
        let read = File::open(&path)
            .and_then(|file| read_bounded(file, &mut content, MAX_AUDIT_FILE))
            .and_then(|()| String::from_utf8(content).map_err(io::Error::other));
        let text = match read {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(AuditError::File { path, source }),
        };
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let taken = line.strip_suffix('\n').and_then(&mut take);
            if taken.is_none() {
                return Err(AuditError::Line {
                    path,
                    line: index + 1,
                });
            }
        }
        Ok(())
    }
}

const DEVICE_LOG: &str = "device-log";
pub(super) const SIGNATURES: &str = "signatures";

/// The entries of the device that are not known yet. Those that are known must be the same.
fn new_entries(known: &[LogEntry], log: Vec<LogEntry>) -> Result<Vec<LogEntry>, AuditError> {
    let mut new: Vec<LogEntry> = Vec::new();
    for entry in log {
        // The device holds at most 62, so a known one is among the last.
        let mut recent = known.iter().rev().take(2 * LOG_CAPACITY);
        if let Some(same) = recent.find(|it| it.number == entry.number) {
            if same.digest != entry.digest {
                return Err(AuditError::Differs {
                    number: entry.number,
                });
            }
            continue;
        }
        let previous = new.last().or(known.last()).map(|it| it.digest);
        new.push(entry.resolve(previous.as_ref()));
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::chain;
    use super::super::signatures::SignatureCount;
    use super::*;

    fn directory(name: &str) -> AuditDir {
        let path = std::env::temp_dir().join(format!("privyseal-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        AuditDir::open(&path).unwrap()
    }

    #[test]
    fn what_is_appended_reads_back_and_repeats_do_not_count() {
        let (dir, entries) = (directory("entries"), chain(6));
        assert_eq!(dir.entries().unwrap(), []);
        let lines = |range: &[LogEntry]| range.iter().map(LogEntry::to_line).collect::<String>();
        dir.append(DEVICE_LOG, &lines(&entries[..4])).unwrap();
        dir.append(DEVICE_LOG, &lines(&entries[..4])).unwrap();
        dir.append(DEVICE_LOG, &lines(&entries[4..])).unwrap();
        assert_eq!(dir.entries().unwrap(), entries);
        std::fs::remove_dir_all(dir.path).unwrap();
    }

    #[test]
    fn signatures_are_counted() {
        let dir = directory("signatures");
        dir.begin(100, 2).unwrap().made().unwrap();
        dir.begin(100, 2).unwrap().refused().unwrap();
        let _ = dir.begin(100, 2).unwrap();
        dir.begin(100, 3).unwrap().made().unwrap();
        let counts = dir.signatures().unwrap();
        assert_eq!(counts[&(100, 2)], SignatureCount { made: 1, open: 1 });
        assert_eq!(counts[&(100, 3)], SignatureCount { made: 1, open: 0 });
        dir.append(SIGNATURES, "made 100 9\n").unwrap();
        let error = dir.signatures().unwrap_err();
        assert!(matches!(error, AuditError::Line { line: 8, .. }), "{error}");
        std::fs::remove_dir_all(dir.path).unwrap();
    }

    #[test]
    fn a_line_that_was_cut_off_is_named() {
        let dir = directory("cut");
        let lines: String = chain(2).iter().map(LogEntry::to_line).collect();
        dir.append(DEVICE_LOG, &lines[..lines.len() - 1]).unwrap();
        assert!(matches!(
            dir.entries().unwrap_err(),
            AuditError::Line { line: 2, .. }
        ));
        std::fs::remove_dir_all(dir.path).unwrap();
    }
}
