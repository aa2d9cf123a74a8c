//! A file that is written anew, whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the files of threads apart.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Writes a file, on Unix of that mode: a reader finds the old one or the new one, never half of one. A link stays, and what it
/// leads to is replaced; a device or a pipe is not.
///
/// # Errors
/// Something stands there that is no file, or the file cannot be written.
pub fn replace_file(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(path) if path.is_file() => path,
        Ok(_) => {
            let why = "there is something that is no file, and it is left alone";
            return Err(io::Error::other(why));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut new = name.to_owned();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    new.push(format!(".{}-{number}.new", std::process::id()));
    let new = path.with_file_name(new);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(&new)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        // It may hold half a token.
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("privyseal-replace-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let path = |name| folder.join(name);
        fs::write(path("file"), "old").unwrap();
        symlink("file", path("link")).unwrap();
        replace_file(&path("link"), 0o600, b"new").unwrap();
        assert_eq!(fs::read(path("file")).unwrap(), b"new");
        assert!(path("link").is_symlink());
        replace_file(&path("other"), 0o600, b"new").unwrap();
        let _server = UnixListener::bind(path("socket")).unwrap();
        for left_alone in ["socket", "."] {
            assert!(replace_file(&path(left_alone), 0o600, b"new").is_err());
            assert!(!path(left_alone).is_file());
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
        fs::remove_dir_all(&folder).unwrap();
    }
}
