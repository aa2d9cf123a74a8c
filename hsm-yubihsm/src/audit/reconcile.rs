//! The device's log beside our own count.

use std::collections::BTreeMap;

use thiserror::Error;
use yubihsm::command::Code;

use super::entry::LogEntry;
use super::signatures::SignatureCount;

/// What the comparison for one key gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Signatures with the key in the device's log, by whichever session.
    pub logged: u64,
    /// Signatures that we made, and those that are open.
    pub ours: SignatureCount,
    /// What does not fit.
    pub findings: Vec<AuditFinding>,
}

/// Something that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuditFinding {
    /// The key was used in a session of an authentication key that we never used it with.
    #[error(
        "entry {number}: a signature in a session of authentication key {auth_key}, which is not ours"
    )]
    ForeignSession {
        /// Number of the entry.
        number: u16,
        /// The authentication key of that session.
        auth_key: u16,
    },
    /// A session of our authentication key signed more often than we did.
    #[error("{count} more signatures in sessions of authentication key {auth_key} than we made")]
    ForeignSignatures {
        /// The authentication key.
        auth_key: u16,
        /// How many are too many, at the least.
        count: u64,
    },
    /// A command other than a signature used, changed or replaced the key.
    #[error("entry {number}: command 0x{command:02x} used or changed the key")]
    OtherUse {
        /// Number of the entry.
        number: u16,
        /// The command.
        command: u8,
    },
    /// We have signatures that the log does not have.
    #[error(
        "{count} of our signatures (authentication key {auth_key}) are not in the log; is command-audit of \
         SignPkcs1 on?"
    )]
    NotLogged {
        /// The authentication key.
        auth_key: u16,
        /// How many.
        count: u64,
    },
}

impl Reconciliation {
    /// Whether log and count agree.
    pub fn agrees(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Compares the drained `entries` with our `signatures`, for key `key_id`.
pub fn reconcile(
    key_id: u16,
    entries: &[LogEntry],
    signatures: &BTreeMap<(u16, u16), SignatureCount>,
) -> Reconciliation {
    let ours: BTreeMap<u16, SignatureCount> = signatures
        .iter()
        .filter(|((key, _), _)| *key == key_id)
        .map(|((_, auth_key), count)| (*auth_key, *count))
        .collect();
    let mut result = Reconciliation::default();
    let mut logged = BTreeMap::<u16, u64>::new();
    for entry in entries
        .iter()
        .filter(|it| it.target_key == key_id && it.succeeded())
    {
        let number = entry.number;
        if entry.command == Code::SignPkcs1.to_u8() {
            result.logged += 1;
            *logged.entry(entry.session_key).or_default() += 1;
            if !ours.contains_key(&entry.session_key) {
                let auth_key = entry.session_key;
                result
                    .findings
                    .push(AuditFinding::ForeignSession { number, auth_key });
            }
        } else if touches_a_key(entry.command) {
            result.findings.push(AuditFinding::OtherUse {
                number,
                command: entry.command,
            });
        }
    }
    for (&auth_key, count) in &ours {
        result.ours.made += count.made;
        result.ours.open += count.open;
        let logged = logged.get(&auth_key).copied().unwrap_or(0);
        if logged > count.made + count.open {
            let count = logged - count.made - count.open;
            result
                .findings
                .push(AuditFinding::ForeignSignatures { auth_key, count });
        }
        if logged < count.made {
            let count = count.made - logged;
            result
                .findings
                .push(AuditFinding::NotLogged { auth_key, count });
        }
    }
    result
}

/// Commands that use, export, replace or delete an asymmetric key other than by `SignPkcs1`. Generating it, reading
/// its public key and attesting it do not count.
fn touches_a_key(command: u8) -> bool {
    [
        Code::SignPss,
        Code::DecryptPkcs1,
        Code::DecryptOaep,
        Code::SignSshCertificate,
        Code::ExportWrapped,
        Code::ImportWrapped,
        Code::PutAsymmetricKey,
        Code::DeleteObject,
    ]
    .iter()
    .any(|code| code.to_u8() == command)
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::chain;
    use super::*;

    fn ours(made: u64, open: u64) -> BTreeMap<(u16, u16), SignatureCount> {
        BTreeMap::from([((100, 2), SignatureCount { made, open })])
    }

    #[test]
    fn one_entry_for_each_signature() {
        let entries = chain(4);
        for (made, open) in [(4, 0), (3, 1), (2, 5), (4, 1)] {
            let result = reconcile(100, &entries, &ours(made, open));
            assert!(result.agrees(), "{made} {open}: {result:?}");
            assert_eq!((result.logged, result.ours.made), (4, made));
        }
    }

    #[test]
    fn what_is_not_ours_is_found() {
        let mut entries = chain(4);
        let found = |entries: &[LogEntry], made| reconcile(100, entries, &ours(made, 0)).findings;
        assert_eq!(
            found(&entries, 3),
            [AuditFinding::ForeignSignatures {
                auth_key: 2,
                count: 1
            }]
        );
        assert_eq!(
            found(&entries, 5),
            [AuditFinding::NotLogged {
                auth_key: 2,
                count: 1
            }]
        );
        entries[1].session_key = 9;
        let foreign = AuditFinding::ForeignSession {
            number: entries[1].number,
            auth_key: 9,
        };
        assert_eq!(found(&entries, 3), [foreign]);
        entries[1].command = 0x4a;
        entries[1].result = 0xca;
        let other = AuditFinding::OtherUse {
            number: entries[1].number,
            command: 0x4a,
        };
        assert_eq!(found(&entries, 3), [other]);
    }

    #[test]
    fn refused_commands_and_other_keys_do_not_count() {
        let mut entries = chain(4);
        entries[0].result = 0x7f;
        entries[1].target_key = 101;
        assert!(reconcile(100, &entries, &ours(2, 0)).agrees());
    }
}
