//! PINs that a token refused, remembered without being kept.
//!
//! Some tokens do not show that a try was lost: a service that is restarted with a wrong PIN would lock them, one start
//! after the other. So what such a token refused leaves a mark: 16 bits of a keyed hash of token and PIN, in a file that
//! only this user can read. Of a million PINs of six digits, fifteen have the same mark: it gives none away. One right
//! PIN in 65,536 is taken for a refused one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::bounded::read_bounded;
use crate::replace::replace_file;
use crate::secret::{Secret, SecretRequest};

/// The key of the hash: at the start of the file.
const KEY: usize = 16;

/// Which token, and the mark.
const ENTRY: usize = 8 + 2;

/// The most bytes of the file. A thousand refusals are no accident, and the oldest are forgotten.
const MAX_FILE: usize = KEY + 1000 * ENTRY;

/// The file of marks.
#[derive(Clone, Debug)]
pub(crate) struct RefusedPins(PathBuf);

impl RefusedPins {
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.join("refused-pins"))
    }

    /// Whether the token has refused this PIN since it last accepted one.
    pub(crate) fn contains(&self, request: &SecretRequest, pin: &Secret) -> bool {
        let file = self.read().unwrap_or_default();
        let mark = mark(&file, request, pin);
        entries(&file).any(|entry| entry == mark)
    }

    /// Remembers that the token refused it; if it is right, forgets what it refused.
    pub(crate) fn note(
        &self,
        request: &SecretRequest,
        pin: &Secret,
        right: bool,
    ) -> io::Result<()> {
        let mut file = self.read()?;
        if file.len() < KEY {
            if right {
                return Ok(());
            }
            file = vec![0; KEY];
            getrandom::fill(&mut file).map_err(io::Error::other)?;
        }
        let mark = mark(&file, request, pin);
        let its = |entry: &&[u8]| entry[..8] == mark[..8];
        let mut marks: Vec<&[u8]> = entries(&file).collect();
        match right {
            true if !marks.iter().any(its) => return Ok(()),
            true => marks.retain(|entry| !its(entry)),
            false => marks.push(&mark),
        }
        let oldest = marks.len().saturating_sub((MAX_FILE - KEY) / ENTRY);
        let text = [&file[..KEY], &marks[oldest..].concat()].concat();
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder)?;
        }
        replace_file(&self.0, 0o600, &text)
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match fs::File::open(&self.0) {
            Ok(file) => match read_bounded(file, &mut bytes, MAX_FILE) {
                Ok(()) => Ok(bytes),
                // Nothing that was written here; it is started over.
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(Vec::new()),
                Err(error) => Err(error),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(bytes),
            Err(error) => Err(error),
        }
    }
}

fn entries(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.get(KEY..).unwrap_or_default().chunks_exact(ENTRY)
}

fn mark(file: &[u8], request: &SecretRequest, pin: &Secret) -> [u8; ENTRY] {
    let hash = |parts: &[&[u8]]| {
        let mut hash = Sha256::new();
        for part in [&file[..KEY.min(file.len())]].iter().chain(parts) {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize()
    };
    let (token, serial) = match request {
        SecretRequest::Pin { token, serial, .. } => (token.as_bytes(), serial.as_bytes()),
        SecretRequest::Password { device, .. } => (device.as_bytes(), &[][..]),
    };
    let mut mark = [0; ENTRY];
    mark[..8].copy_from_slice(&hash(&[token, serial])[..8]);
    mark[8..].copy_from_slice(&hash(&[token, serial, pin.expose().as_bytes()])[..2]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::PinState;

    #[test]
    fn a_refused_pin_is_known_again_until_a_right_one_came_and_is_not_in_the_file() {
        let folder = std::env::temp_dir().join(format!("privyseal-refused-{}", std::process::id()));
        let pins = RefusedPins::new(&folder);
        let card = |serial: &str| SecretRequest::Pin {
            token: "card".into(),
            serial: serial.into(),
            state: PinState::Ok,
        };
        let (wrong, right) = (
            Secret::new("47114711").unwrap(),
            Secret::new("1234").unwrap(),
        );
        assert!(!pins.contains(&card("1"), &wrong));
        pins.note(&card("1"), &right, true).unwrap();
        assert!(!folder.exists(), "nothing to be remembered");
        pins.note(&card("1"), &wrong, false).unwrap();
        assert!(pins.contains(&card("1"), &wrong));
        assert!(!pins.contains(&card("1"), &right) && !pins.contains(&card("2"), &wrong));
        let file = fs::read(folder.join("refused-pins")).unwrap();
        assert_eq!(file.len(), KEY + ENTRY, "a key, a token and two bytes");
        pins.note(&card("2"), &right, true).unwrap();
        assert!(
            pins.contains(&card("1"), &wrong),
            "another token's right PIN"
        );
        pins.note(&card("1"), &right, true).unwrap();
        assert!(!pins.contains(&card("1"), &wrong));
        fs::write(folder.join("refused-pins"), [0x5a; MAX_FILE + 1]).unwrap();
        pins.note(&card("1"), &wrong, false).unwrap();
        assert!(pins.contains(&card("1"), &wrong), "it is started over");
        fs::remove_dir_all(&folder).unwrap();
    }
}
