//! A file that is replaced, whole or not at all.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the files of threads apart.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Writes a file, on Unix of that mode, and where one is replaced with none of the rights that it did not give: a reader finds
/// the old one or the new one, never half of one. A link stays, and what it leads to is replaced; a device, a pipe, or what
/// standard output goes to is not.
///
/// # Errors
/// Something stands there that is no file, or the file cannot be written.
pub fn replace_file(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let (path, new, mut file) = new_beside(path, mode)?;
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

/// Whether [`replace_file`] could begin, before something is done whose result would be lost. What is there stays.
///
/// # Errors
/// As [`replace_file`].
pub fn can_replace_file(path: &Path) -> io::Result<()> {
    let (_, new, _) = new_beside(path, 0o600)?;
    fs::remove_file(new)
}

/// What is replaced, and a new file beside it.
fn new_beside(path: &Path, mode: u32) -> io::Result<(PathBuf, PathBuf, File)> {
    let path = match fs::metadata(path) {
        Ok(old) if is_standard_output(&old) => {
            return Err(io::Error::other(
                "that is standard output, and a file is meant",
            ));
        }
        Ok(old) if old.is_file() => fs::canonicalize(path)?,
        Ok(_) => {
            let why = "there is something that is no file, and it is left alone";
            return Err(io::Error::other(why));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if path.is_symlink() {
                let why = "there is a link that leads to nothing, and it is left alone";
                return Err(io::Error::other(why));
            }
            path.to_owned()
        }
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
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let old = fs::metadata(&path).map_or(mode, |old| old.permissions().mode());
        options.mode(mode & old);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let file = options.open(&new)?;
    Ok((path, new, file))
}
/// Whether what is printed goes there, which would be lost with the old file.
#[cfg(unix)]
fn is_standard_output(old: &Metadata) -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let output = io::stdout().as_fd().try_clone_to_owned();
    let output = output.and_then(|output| File::from(output).metadata());
    output.is_ok_and(|output| (output.dev(), output.ino()) == (old.dev(), old.ino()))
}

#[cfg(not(unix))]
const fn is_standard_output(_old: &Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
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
        for (old, allowed, new) in [(0o600, 0o666, 0o600), (0o644, 0o600, 0o600)] {
            fs::set_permissions(path("file"), fs::Permissions::from_mode(old)).unwrap();
            replace_file(&path("file"), allowed, b"new").unwrap();
            let mode = fs::metadata(path("file")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, new);
        }
        can_replace_file(&path("other")).unwrap();
        assert!(!path("other").exists());
        replace_file(&path("other"), 0o600, b"new").unwrap();
        can_replace_file(&path("link")).unwrap();
        assert_eq!(fs::read(path("file")).unwrap(), b"new");
        let _server = UnixListener::bind(path("socket")).unwrap();
        symlink("nothing", path("dangling")).unwrap();
        // Wherever it leads to.
        let refused = replace_file(Path::new("/dev/stdout"), 0o600, b"new").unwrap_err();
        assert!(refused.to_string().contains("standard output"), "{refused}");
        for left_alone in ["socket", ".", "dangling"] {
            assert!(can_replace_file(&path(left_alone)).is_err());
            assert!(replace_file(&path(left_alone), 0o600, b"new").is_err());
            assert!(!path(left_alone).is_file());
        }
        assert!(path("dangling").is_symlink());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 5);
        fs::remove_dir_all(&folder).unwrap();
    }
}
