//! What is wrong with a log.

use std::path::PathBuf;

/// Why the device's log, or our record of it, cannot be relied on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named for what they hold")]
pub enum AuditError {
    /// The digest of an entry does not follow from the entry and the digest before it.
    #[error(
        "the digest chain of the device's log is broken at entry {number}: it was changed, or the audit \
         directory is another device's"
    )]
    BrokenChain { number: u16 },
    /// Entries are missing between what we have and what the device still has.
    #[error("entries {expected} to {} of the device's log are lost: it ran over (force-audit is off), another \
         client drained it, or the device was reset",
        .found.wrapping_sub(1))]
    Gap { expected: u16, found: u16 },
    /// The device has an entry that we have otherwise.
    #[error(
        "entry {number} of the device's log is another than the one drained earlier: the device was reset, \
         or the audit directory is another device's"
    )]
    Differs { number: u16 },
    /// The `yubihsm` crate cannot read the whole log: an entry of a command it does not know.
    #[error(
        "the device's log has {counted} entries, of which the yubihsm library can read {read}: one is of a \
         command that it does not know"
    )]
    Truncated { counted: usize, read: usize },
    /// A file of the audit directory cannot be used.
    #[error("{}: {source}", .path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A line of it is none.
    #[error("{}: line {line} is not as this program writes it", .path.display())]
    Line { path: PathBuf, line: usize },
}
