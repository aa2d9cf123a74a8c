//! What this machine can fail at.

use std::io;
use std::path::PathBuf;

/// Why the machine gave no time, no randomness or no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaseError {
    /// The clock shows a moment that no token can have.
    #[error("the clock of this machine shows a time before 1970 or after 9999: it was never set")]
    Clock,
    /// The operating system has no randomness.
    #[error("the operating system gave no random bytes: {0}")]
    Entropy(getrandom::Error),
    /// What is stored elsewhere could not be encrypted.
    #[error("what is to be stored elsewhere could not be encrypted: it is too long")]
    Seal,
    /// What was stored elsewhere is not what was sealed for this.
    #[error(
        "what was stored cannot be opened: it was changed, or sealed with another key or for another use"
    )]
    Sealed,
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file is larger than what it should hold can be.
    #[error("{} is larger than {max} bytes, so it is something else", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        max: usize,
    },
    /// A file should hold text, and does not.
    #[error("{} is not UTF-8, so it is no text that can be read here (UTF-16, if Windows wrote it)", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
}
