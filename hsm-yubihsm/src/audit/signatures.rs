//! Our own count of signatures.

use std::collections::BTreeMap;

use super::directory::{AuditDir, SIGNATURES};
use crate::error::AuditError;

/// What we did with one key in sessions of one authentication key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureCount {
    /// Signatures that the device gave us.
    pub made: u64,
    /// Signatures that were asked for and whose outcome is not known: a time-out, a crash, or one that
    /// is being made now.
    pub open: u64,
}

/// A signature that was asked for. Dropped without a word, it stays open.
#[derive(Debug)]
#[must_use]
pub struct PendingSignature<'a> {
    directory: &'a AuditDir,
    key_id: u16,
    auth_key: u16,
}

impl AuditDir {
    /// Writes down that a signature with `key_id` will now be asked for, and has it reach the disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(&self, key_id: u16, auth_key: u16) -> Result<PendingSignature<'_>, AuditError> {
        let signature = PendingSignature {
            directory: self,
            key_id,
            auth_key,
        };
        signature.append("asked")?;
        Ok(signature)
    }

    /// The counts, by key and authentication key.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it is none of ours.
    pub fn signatures(&self) -> Result<BTreeMap<(u16, u16), SignatureCount>, AuditError> {
        let mut counts = BTreeMap::<(u16, u16), SignatureCount>::new();
        self.read(SIGNATURES, |text| {
            let mut words = text.split(' ');
            let (Some(what), Some(key), Some(auth), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                return None;
            };
            let count = counts
                .entry((key.parse().ok()?, auth.parse().ok()?))
                .or_default();
            match what {
                "asked" => count.open += 1,
                "made" => {
                    count.open = count.open.checked_sub(1)?;
                    count.made += 1;
                }
                "refused" => count.open = count.open.checked_sub(1)?,
                _ => return None,
            }
            Some(())
        })?;
        Ok(counts)
    }
}

impl PendingSignature<'_> {
    /// The device gave the signature.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn made(self) -> Result<(), AuditError> {
        self.append("made")
    }

    /// The device refused, so it made none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn refused(self) -> Result<(), AuditError> {
        self.append("refused")
    }

    fn append(&self, what: &str) -> Result<(), AuditError> {
        let line = format!("{what} {} {}\n", self.key_id, self.auth_key);
        self.directory.append(SIGNATURES, &line)
    }
}
