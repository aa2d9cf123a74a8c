//! An entry of the device's log, and the chain.
//!
//! An entry is 16 bytes and a digest of 16: the first half of SHA-256 over the 16 bytes and the digest
//! before. The first entry of a device's life is all ones and has a digest that only the device knows
//! the origin of.

use privyseal_core::encoding::{hex, unhex};
use sha2::{Digest as _, Sha256};

use crate::error::AuditError;

const DIGEST: usize = 16;

/// The digest of an entry.
pub type LogDigest = [u8; DIGEST];

/// An entry of the device's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the field that Yubico calls so")]
pub struct LogEntry {
    pub number: u16,
    pub command: u8,
    pub length: u16,
    pub session_key: u16,
    pub target_key: u16,
    pub second_key: u16,
    /// The first byte of the answer: the command with the high bit set, or an error.
    pub result: u8,
    pub tick: u32,
    pub digest: LogDigest,
}

/// Proves that each of `entries` follows the one before, and the first one `previous`. With no
/// `previous`, the first is where the proof begins.
///
/// # Errors
/// An entry is missing, or does not follow from the one before.
pub fn verify(previous: Option<&LogEntry>, entries: &[LogEntry]) -> Result<(), AuditError> {
    let mut previous = previous;
    for entry in entries {
        if let Some(before) = previous {
            let expected = before.number.wrapping_add(1);
            if entry.number != expected {
                return Err(AuditError::Gap {
                    expected,
                    found: entry.number,
                });
            }
            if entry.chained(&before.digest) != entry.digest {
                return Err(AuditError::BrokenChain {
                    number: entry.number,
                });
            }
        }
        previous = Some(entry);
    }
    Ok(())
}

impl LogEntry {
    /// The entry without its digest, as the device hashes it.
    pub fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let mut at = 0;
        let mut put = |part: &[u8]| {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        };
        put(&self.number.to_be_bytes());
        put(&[self.command]);
        put(&self.length.to_be_bytes());
        put(&self.session_key.to_be_bytes());
        put(&self.target_key.to_be_bytes());
        put(&self.second_key.to_be_bytes());
        put(&[self.result]);
        put(&self.tick.to_be_bytes());
        bytes
    }

    /// What its digest must be after `previous`.
    pub fn chained(&self, previous: &LogDigest) -> LogDigest {
        let hash = Sha256::new_with_prefix(self.bytes())
            .chain_update(previous)
            .finalize();
        let mut digest = [0; DIGEST];
        digest.copy_from_slice(&hash[..DIGEST]);
        digest
    }

    /// Whether the command was done.
    pub const fn succeeded(&self) -> bool {
        self.result == self.command | 0x80
    }

    /// Puts the result right. The `yubihsm` crate keeps it as a code that two different bytes lead to;
    /// the chain tells which one the device sent.
    pub(super) fn resolve(mut self, previous: Option<&LogDigest>) -> Self {
        let other = yubihsm::response::Code::DeviceOk
            .to_u8()
            .checked_sub(self.result);
        if let (Some(previous), Some(other)) = (previous, other)
            && self.chained(previous) != self.digest
        {
            self.result = other;
        }
        self
    }

    /// As one line of the file `device-log`: the entry and its digest, in hexadecimal.
    pub(super) fn to_line(&self) -> String {
        let hex = |bytes: &[u8]| hex(bytes).collect::<String>();
        format!("{} {}\n", hex(&self.bytes()), hex(&self.digest))
    }

    pub(super) fn from_line(line: &str) -> Option<Self> {
        let (bytes, digest) = line.split_once(' ')?;
        let bytes: [u8; 16] = unhex(bytes)?;
        let pair = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        Some(Self {
            number: pair(0),
            command: bytes[2],
            length: pair(3),
            session_key: pair(5),
            target_key: pair(7),
            second_key: pair(9),
            result: bytes[11],
            tick: u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]),
            digest: unhex(digest)?,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// `count` entries with a right chain: signatures with key 100 in sessions of key 2.
    pub(in crate::audit) fn chain(count: u16) -> Vec<LogEntry> {
        let mut previous = [7; 16];
        (0..count)
            .map(|index| {
                let mut entry = LogEntry {
                    number: index.wrapping_add(65_534),
                    command: 0x47,
                    length: 34,
                    session_key: 2,
                    target_key: 100,
                    second_key: 0xffff,
                    result: 0xc7,
                    tick: 1000 + u32::from(index),
                    digest: [0; 16],
                };
                entry.digest = entry.chained(&previous);
                previous = entry.digest;
                entry
            })
            .collect()
    }

    #[test]
    fn a_right_chain_passes_also_where_numbers_wrap() {
        let entries = chain(5);
        assert_eq!(entries[2].number, 0);
        verify(None, &entries).unwrap();
        verify(Some(&entries[0]), &entries[1..]).unwrap();
    }

    #[test]
    fn every_changed_byte_breaks_it() {
        let entries = chain(3);
        for at in 0..32 {
            let mut line = entries[1].to_line().into_bytes();
            let place = if at < 16 { 2 * at } else { 2 * at + 1 };
            line[place] = if line[place] == b'0' { b'1' } else { b'0' };
            let changed = LogEntry::from_line(str::from_utf8(&line).unwrap().trim_end()).unwrap();
            assert_ne!(changed, entries[1]);
            let all = [entries[0].clone(), changed, entries[2].clone()];
            assert!(verify(None, &all).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_missing_entry_is_a_gap() {
        let entries = chain(4);
        let error = verify(Some(&entries[0]), &entries[2..]).unwrap_err();
        assert!(
            matches!(
                error,
                AuditError::Gap {
                    expected: 65_535,
                    found: 0
                }
            ),
            "{error}"
        );
    }

    /// An entry of a real device, from the tests of the `yubihsm` crate: it reads back byte for byte.
    #[test]
    fn lines_read_back() {
        for entry in chain(3) {
            assert_eq!(LogEntry::from_line(entry.to_line().trim_end()), Some(entry));
        }
        let first = "0001ffffffffffffffffffffffffffff edd9b4e0c38c4f7ec50f057091f12fce";
        let entry = LogEntry::from_line(first).unwrap();
        assert_eq!(
            (entry.number, entry.command, entry.tick),
            (1, 0xff, u32::MAX)
        );
        assert_eq!(entry.to_line().trim_end(), first);
        for bad in [
            "",
            "00",
            &first[1..],
            &first.replace('e', "g"),
            &format!("{first}0"),
        ] {
            assert_eq!(LogEntry::from_line(bad), None, "{bad}");
        }
    }
}
