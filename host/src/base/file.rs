//! Files of bounded size: a file that is larger than what it should hold is something else.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::BaseError;

/// The most bytes of a token, of certificates, of keys and of profiles that are read: far more than any of them has.
pub const MAX_FILE: usize = 1024 * 1024;

/// A file that was opened, or standard input.
#[derive(Debug)]
pub struct InputFile {
    file: File,
    path: PathBuf,
}

/// Reads a whole file of at most `max` bytes.
///
/// # Errors
///
/// [`BaseError::Read`] and [`BaseError::TooLarge`], which name the file.
pub fn read(path: &Path, max: usize) -> Result<Vec<u8>, BaseError> {
    let InputFile { file, path } = InputFile::open(path)?;
    let mut content = Vec::new();
    privyseal_hsm::read_bounded(file, &mut content, max).map_err(failed(path, max))?;
    Ok(content)
}

/// Refuses what is no regular file: reading a FIFO or a terminal may never end.
///
/// # Errors
///
/// [`BaseError::Read`], which names the file.
pub fn check_regular(path: &Path) -> Result<(), BaseError> {
    let is_regular = std::fs::metadata(path).and_then(|metadata| {
        let other = || io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
        metadata.is_file().then_some(()).ok_or_else(other)
    });
    is_regular.map_err(failed(path.to_owned(), 0))
}

impl InputFile {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`BaseError::Read`], which names the file.
    pub fn open(path: &Path) -> Result<Self, BaseError> {
        Self::opened(path, File::open(path))
    }

    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// As [`InputFile::open`].
    pub fn open_or_stdin(path: &Path) -> Result<Self, BaseError> {
        if path == Path::new("-") {
            Self::opened(Path::new("standard input"), stdin())
        } else {
            Self::open(path)
        }
    }

    fn opened(path: &Path, file: io::Result<File>) -> Result<Self, BaseError> {
        let path = path.to_owned();
        match file {
            Ok(file) => Ok(Self { file, path }),
            Err(source) => Err(BaseError::Read { path, source }),
        }
    }

    /// The path, or `standard input`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As [`privyseal_hsm::is_readable_by_all`].
    pub fn is_readable_by_all(&self) -> bool {
        privyseal_hsm::is_readable_by_all(&self.file)
    }

    /// Reads all of at most `max` bytes, as it may be a secret: into one buffer that never grows and is
    /// wiped when it is dropped.
    ///
    /// # Errors
    ///
    /// [`BaseError::Read`] and [`BaseError::TooLarge`], which name the file.
    pub fn read_secret(self, max: usize) -> Result<Zeroizing<Vec<u8>>, BaseError> {
        let Self { file, path } = self;
        privyseal_hsm::read_secret(file, max).map_err(failed(path, max))
    }

    /// Reads UTF-8 text, as [`InputFile::read_secret`] reads bytes.
    ///
    /// # Errors
    ///
    /// Also [`BaseError::NotText`].
    pub fn read_text(self, max: usize) -> Result<Zeroizing<String>, BaseError> {
        let path = self.path.clone();
        let mut content = self.read_secret(max)?;
        String::from_utf8(core::mem::take(&mut *content))
            .map(Zeroizing::new)
            .map_err(|error| {
                drop(Zeroizing::new(error.into_bytes()));
                BaseError::NotText { path }
            })
    }
}

fn failed(path: PathBuf, max: usize) -> impl FnOnce(io::Error) -> BaseError {
    move |source| match source.kind() {
        io::ErrorKind::FileTooLarge => BaseError::TooLarge { path, max },
        _ => BaseError::Read { path, source },
    }
}

/// Standard input without the buffer of [`io::stdin`], which nobody wipes.
fn stdin() -> io::Result<File> {
    #[cfg(unix)]
    let own = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    #[cfg(windows)]
    let own = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
    // A browser has none.
    #[cfg(not(any(unix, windows)))]
    let own: io::Result<File> = Err(io::ErrorKind::Unsupported.into());
    own.map(File::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the bound it is read, one byte more is refused, and nothing is cut.
    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let path = std::env::temp_dir().join(format!("privyseal-file-{}", std::process::id()));
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let open = || InputFile::open(&path).unwrap();
        assert_eq!(&*open().read_text(5).unwrap(), "12345");
        for error in [
            read(&path, 4).unwrap_err(),
            open().read_secret(4).map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, BaseError::TooLarge { max: 4, .. }));
            assert!(error.to_string().contains("larger than 4"), "{error}");
        }
        std::fs::write(&path, [0xff]).unwrap();
        let error = open().read_text(5).unwrap_err();
        assert!(matches!(error, BaseError::NotText { .. }));
        std::fs::remove_file(&path).unwrap();
        let error = read(&path, 5).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }
}
