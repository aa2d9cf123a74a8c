//! The one reader of files of bounded size, which may hold a secret.

use std::fs::File;
use std::io::{self, Read};

use zeroize::Zeroizing;

/// Reads all of at most `max` bytes into one buffer that never grows and is wiped when it is dropped.
///
/// # Errors
/// As the operating system says; [`io::ErrorKind::FileTooLarge`] if there is more.
pub fn read_secret(file: File, max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::with_capacity(max.saturating_add(1)));
    read_bounded(file, &mut content, max)?;
    Ok(content)
}

/// Reads all of at most `max` bytes, which are no secret.
///
/// # Errors
/// As [`read_secret`].
pub fn read_bounded(source: impl Read, content: &mut Vec<u8>, max: usize) -> io::Result<()> {
    let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    match source.take(bound).read_to_end(content)? {
        len if len > max => Err(io::ErrorKind::FileTooLarge.into()),
        _ => Ok(()),
    }
}

/// Whether every user of this machine can read the file; not known, so `false`, where it is no regular file or the
/// system is not Unix.
#[cfg(unix)]
pub fn is_readable_by_all(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o004 != 0)
}

/// Whether every user of this machine can read the file: not known here.
#[cfg(not(unix))]
pub const fn is_readable_by_all(_: &File) -> bool {
    false
}
