//! What is wrong with a log.

use std::fmt;
use std::path::PathBuf;

/// Why the device's log, or our record of it, cannot be relied upon.
#[derive(Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named for what they hold")]
pub enum AuditError {
    /// The digest of an entry does not follow from the entry and the digest before it.
    BrokenChain { number: u16 },
    /// Entries are missing between what we have and what the device still has.
    Gap { expected: u16, found: u16 },
    /// The device has an entry that we have otherwise.
    Differs { number: u16 },
    /// The `yubihsm` crate cannot read the whole log: an entry of a command it does not know.
    Truncated { counted: usize, read: usize },
    /// A file of the audit directory cannot be used.
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A line of it is none.
    Line { path: PathBuf, line: usize },
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenChain { number } => write!(
                f,
                "the digest chain of the device's log is broken at entry {number}: it was changed, or \
                 the audit directory is another device's"
            ),
            Self::Gap { expected, found } => write!(
                f,
                "entries {expected} to {} of the device's log are lost: it ran over (force-audit is \
                 off), someone else drained it, or the device was reset; a new audit directory begins \
                 anew",
                found.wrapping_sub(1)
            ),
            Self::Differs { number } => write!(
                f,
                "entry {number} of the device's log is another than the one drained earlier: the \
                 device was reset, or the audit directory is another device's"
            ),
            Self::Truncated { counted, read } => write!(
                f,
                "the device's log has {counted} entries, of which the yubihsm library can read {read}: \
                 one is of a command that it does not know; drain it with yubihsm-shell"
            ),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Line { path, line } => {
                write!(
                    f,
                    "{}: line {line} is not as this program writes it",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for AuditError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
