//! A PIN in a file: `pin-source=file:/run/secrets/pin` (RFC 7512 section 2.4), just its path, or `credential:NAME`,
//! which systemd (`LoadCredential=`) and containers put into `$CREDENTIALS_DIRECTORY`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::bounded::{is_readable_by_all, read_secret};
use crate::secret::{Secret, SecretUnavailable};

/// The most bytes that are read. A PIN is shorter; a larger file is something else.
const MAX_FILE: usize = 1024;

/// A file with a PIN and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinFile(PathBuf);

impl PinFile {
    /// Reads the value of `pin-source`: `file:` and a path, as p11-kit and OpenSSL write it, with or
    /// without `//` and `localhost`; a bare path; or `credential:` and a name in `$CREDENTIALS_DIRECTORY`.
    ///
    /// # Errors
    /// `source` names no file of this machine, or that folder is not set.
    pub fn from_pin_source(source: &str) -> Result<Self, SecretUnavailable> {
        Self::from_source(source, || std::env::var_os("CREDENTIALS_DIRECTORY"))
    }

    fn from_source(
        source: &str,
        credentials: impl Fn() -> Option<OsString>,
    ) -> Result<Self, SecretUnavailable> {
        if source.starts_with('|') {
            return Err(SecretUnavailable::new(
                "pin-source names a command (|...), which is not supported: name a file",
            ));
        }
        let path = match source.split_once(':') {
            Some(("credential", name)) if Path::new(name).file_name() == Some(OsStr::new(name)) => {
                let folder = credentials().ok_or_else(|| {
                    SecretUnavailable::new(
                        "pin-source names a credential, and CREDENTIALS_DIRECTORY is not set",
                    )
                })?;
                return Ok(Self(Path::new(&folder).join(name)));
            }
            Some(("credential", _)) => {
                return Err(SecretUnavailable::new(
                    "pin-source names a credential with a path: credential:NAME is one of CREDENTIALS_DIRECTORY",
                ));
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => path_of_file_uri(rest)?,
            // A bare path may have a colon in it; `env:` and `https:` are other tools' ideas.
            Some((scheme, _)) if !scheme.contains(['/', '.']) => {
                return Err(SecretUnavailable::new(format!(
                    "pin-source of kind {scheme:?} is not supported: use file:PATH or credential:NAME"
                )));
            }
            _ => source,
        };
        if path.is_empty() {
            return Err(SecretUnavailable::new("pin-source names no file"));
        }
        Ok(Self(path.into()))
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `source`, which [`Self::from_pin_source`] reads, so that it means the same from any folder.
    ///
    /// # Errors
    /// The working folder has no name, or none that is UTF-8.
    pub fn absolute_source(source: &str) -> io::Result<String> {
        match Self::from_source(source, || None) {
            Ok(Self(path)) if path.is_relative() => Ok(format!("file:{}", absolute(&path)?)),
            _ => Ok(source.to_owned()),
        }
    }

    /// Reads the PIN, without the newline that editors leave at the end; and whether every user of
    /// the machine could read it, too.
    ///
    /// # Errors
    /// The file cannot be read, is too large, is not UTF-8, or holds what can be no PIN.
    pub fn read(&self) -> Result<(Secret, bool), SecretUnavailable> {
        let path = self.shown();
        let failed =
            |error| SecretUnavailable::new(format!("pin-source{path} cannot be read: {error}"));
        let file = File::open(&self.0).map_err(failed)?;
        let readable_by_all = is_readable_by_all(&file);
        let bytes = read_secret(file, MAX_FILE).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => SecretUnavailable::new(format!(
                "pin-source{path} is larger than {MAX_FILE} bytes, so it is no PIN"
            )),
            _ => failed(error),
        })?;
        let text = str::from_utf8(&bytes)
            .map_err(|_| SecretUnavailable::new(format!("pin-source{path} is not UTF-8")))?;
        let pin = text.strip_suffix('\n').unwrap_or(text);
        let pin = pin.strip_suffix('\r').unwrap_or(pin);
        if pin.contains(['\n', '\r']) {
            // Refused here, because guessing which line is meant could cost a try.
            return Err(SecretUnavailable::new(format!(
                "pin-source{path} has more than one line"
            )));
        }
        Ok((Secret::new(pin)?, readable_by_all))
    }
}

impl PinFile {
    /// Whether it is a pipe or the like, which has what somebody writes to it: once, some time, or never.
    pub(crate) fn is_stream(&self) -> bool {
        let metadata = self.0.metadata();
        metadata.is_ok_and(|it| !it.is_file() && !it.is_dir())
    }

    /// Comes and goes as a writer: a thread that waits for one reads to the end then.
    pub(crate) fn end_wait(&self) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            let mut writer = File::options();
            let _ = writer
                .write(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(&self.0);
        }
    }

    /// The path in a message, with a space before it. Not that of a bare word: it may be a PIN, put where its
    /// file should be.
    fn shown(&self) -> String {
        let has_folder = self.0.components().nth(1).is_some();
        match std::env::current_dir() {
            _ if has_folder => format!(" {}", self.0.display()),
            Ok(folder) => format!(", a file in {},", folder.display()),
            Err(_) => String::new(),
        }
    }
}

/// A path of the working folder, from the root.
///
/// # Errors
/// As [`PinFile::absolute_source`].
pub fn absolute(path: &Path) -> io::Result<String> {
    let path = std::path::absolute(path)?.into_os_string().into_string();
    path.map_err(|_| io::Error::other("the working folder has a path that is not UTF-8"))
}

/// What stands after `file:` (RFC 8089). The attribute was percent-decoded with the key's URI.
fn path_of_file_uri(rest: &str) -> Result<&str, SecretUnavailable> {
    let Some(with_host) = rest.strip_prefix("//") else {
        return Ok(rest);
    };
    match with_host.find('/') {
        Some(0) => Ok(with_host),
        Some(end) if &with_host[..end] == "localhost" => Ok(&with_host[end..]),
        _ => Err(SecretUnavailable::new(
            "pin-source names a file on another host",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of this test alone, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, content: &[u8]) -> Self {
            let path =
                std::env::temp_dir().join(format!("privyseal-{}-{name}", std::process::id()));
            std::fs::write(&path, content).unwrap();
            Self(path)
        }

        fn read(&self) -> Result<(Secret, bool), SecretUnavailable> {
            PinFile(self.0.clone()).read()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn every_way_to_name_a_file() {
        for source in [
            "file:/run/pin",
            "file:///run/pin",
            "FILE://localhost/run/pin",
            "/run/pin",
        ] {
            assert_eq!(
                PinFile::from_pin_source(source),
                Ok(PinFile("/run/pin".into())),
                "{source}"
            );
        }
        assert_eq!(
            PinFile::from_pin_source("file:pin"),
            Ok(PinFile("pin".into()))
        );
        assert_eq!(
            PinFile::from_pin_source("./a:b"),
            Ok(PinFile("./a:b".into()))
        );
        let credential = |name| PinFile::from_source(name, || Some("/run/credentials/x".into()));
        let path = PinFile("/run/credentials/x/pin".into());
        assert_eq!(credential("credential:pin"), Ok(path));
        for source in ["credential:", "credential:..", "credential:a/b"] {
            let error = credential(source).unwrap_err().to_string();
            assert!(error.contains("is one of CREDENTIALS_DIRECTORY"), "{error}");
        }
        let unset = PinFile::from_source("credential:pin", || None).unwrap_err();
        assert!(
            unset.to_string().contains("CREDENTIALS_DIRECTORY"),
            "{unset}"
        );
        for source in [
            "",
            "file:",
            "|cat pin",
            "file://host/pin",
            "file://x",
            "env:PIN",
            "https://x",
        ] {
            assert!(PinFile::from_pin_source(source).is_err(), "{source}");
        }
    }

    #[test]
    fn a_file_of_the_working_folder_is_named_from_the_root() {
        let here = std::env::current_dir().unwrap();
        let here = here.display();
        for source in ["pin", "file:pin", "FILE:./pin"] {
            let absolute = PinFile::absolute_source(source).unwrap();
            assert_eq!(absolute, format!("file:{here}/pin"), "{source}");
        }
        for source in ["/run/pin", "file:///run/pin", "credential:pin", "|cat"] {
            assert_eq!(PinFile::absolute_source(source).unwrap(), source);
        }
        let error = PinFile("471147".into()).read().unwrap_err().to_string();
        assert!(error.contains(&format!("in {here}, cannot")), "{error}");
        assert!(!error.contains("471147"), "{error}");
    }

    #[test]
    fn one_newline_at_the_end_is_not_part_of_the_pin() {
        for content in ["1234", "1234\n", "1234\r\n"] {
            let (pin, _) = Scratch::new("newline", content.as_bytes()).read().unwrap();
            assert_eq!(Ok(pin), Secret::new("1234"), "{content:?}");
        }
        let (pin, _) = Scratch::new("blank", b" 12 \n").read().unwrap();
        assert_eq!(Ok(pin), Secret::new(" 12 "), "blanks may belong to it");
    }

    #[test]
    fn what_can_be_no_pin_costs_no_try() {
        let long = [b'1'; MAX_FILE + 1];
        for (name, content) in [
            ("empty", &b""[..]),
            ("newline-only", b"\n"),
            ("lines", b"1234\n5678\n"),
            ("binary", b"\xff\xfe"),
            ("nul", b"12\x0034"),
            ("mark", b"\xef\xbb\xbf1234\n"),
            ("pasted", "1234\u{a0}\n".as_bytes()),
            ("long", &long),
        ] {
            let error = Scratch::new(name, content).read().unwrap_err().to_string();
            assert!(
                !error.contains("1234") && !error.contains("1111"),
                "{error}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_all_may_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt;
        let file = Scratch::new("mode", b"1234");
        for (mode, expected) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
            std::fs::set_permissions(&file.0, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(file.read().unwrap().1, expected, "{mode:o}");
        }
    }
}
