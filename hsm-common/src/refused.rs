//! PINs that a token refused, remembered without being kept.
//!
//! Some tokens do not show that a try was lost: a service that is restarted with a wrong PIN would lock them, one start
//! after the other. So what such a token refused leaves a mark: 16 bits of a keyed hash of token and PIN, in a file that
//! only this user can read. Of a million PINs of six digits, fifteen have the same mark: it gives none away. One right
//! PIN in 65,536 is taken for a refused one. An offer of which nobody heard what came of it, because the process was ended,
//! leaves a mark of its own: two of them count as a refusal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::bounded::read_bounded;
use crate::replace::replace_file;
use crate::secret::{Secret, SecretOffer, SecretRequest};

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
        let [refused, begun] = marks(&file, request, pin);
        let count = |mark| entries(&file).filter(|entry| *entry == mark).count();
        count(refused) > 0 || count(begun) > 1
    }

    /// Remembers that it is offered, and that the token refused it; forgets the offer once something is heard of it, and, if
    /// the PIN is right, all that the token refused.
    pub(crate) fn note(
        &self,
        request: &SecretRequest,
        pin: &Secret,
        offer: SecretOffer,
    ) -> io::Result<()> {
        let mut file = self.read()?;
        if file.len() < KEY {
            if matches!(offer, SecretOffer::Accepted | SecretOffer::Unjudged) {
                return Ok(());
            }
            file = vec![0; KEY];
            getrandom::fill(&mut file).map_err(io::Error::other)?;
        }
        let [refused, begun] = marks(&file, request, pin);
        let mut marks: Vec<&[u8]> = entries(&file).collect();
        let before = marks.len();
        match offer {
            SecretOffer::Begun => marks.push(&begun),
            SecretOffer::Accepted => marks.retain(|entry| entry[..8] != refused[..8]),
            SecretOffer::Refused | SecretOffer::Unjudged => {
                if let Some(at) = marks.iter().position(|entry| *entry == begun) {
                    marks.remove(at);
                }
            }
        }
        if offer == SecretOffer::Refused {
            marks.push(&refused);
        } else if marks.len() == before {
            return Ok(());
        }
        if marks.is_empty() {
            return fs::remove_file(&self.0);
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

/// That a token refused a PIN, and that it was offered.
fn marks(file: &[u8], request: &SecretRequest, pin: &Secret) -> [[u8; ENTRY]; 2] {
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
    let pin = pin.expose().as_bytes();
    [&[token, serial, pin][..], &[token, serial, pin, b"begun"]].map(|parts| {
        let mut mark = [0; ENTRY];
        mark[..8].copy_from_slice(&hash(&[token, serial])[..8]);
        mark[8..].copy_from_slice(&hash(parts)[..2]);
        mark
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::PinState;
    use SecretOffer::{Accepted, Begun, Refused, Unjudged};

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
        pins.note(&card("1"), &right, Accepted).unwrap();
        assert!(!folder.exists(), "nothing to be remembered");
        pins.note(&card("1"), &wrong, Begun).unwrap();
        pins.note(&card("1"), &wrong, Refused).unwrap();
        assert!(pins.contains(&card("1"), &wrong));
        assert!(!pins.contains(&card("1"), &right) && !pins.contains(&card("2"), &wrong));
        let file = fs::read(folder.join("refused-pins")).unwrap();
        assert_eq!(file.len(), KEY + ENTRY, "a key, a token and two bytes");
        pins.note(&card("2"), &right, Accepted).unwrap();
        assert!(
            pins.contains(&card("1"), &wrong),
            "another token's right PIN"
        );
        pins.note(&card("1"), &right, Accepted).unwrap();
        assert!(!pins.contains(&card("1"), &wrong));
        fs::write(folder.join("refused-pins"), [0x5a; MAX_FILE + 1]).unwrap();
        pins.note(&card("1"), &wrong, Refused).unwrap();
        assert!(pins.contains(&card("1"), &wrong), "it is started over");
        fs::remove_dir_all(&folder).unwrap();
    }

    /// As where a process is killed while the token thinks.
    #[test]
    fn two_offers_of_which_nobody_heard_count_as_a_refusal() {
        let folder = std::env::temp_dir().join(format!("privyseal-begun-{}", std::process::id()));
        let pins = RefusedPins::new(&folder);
        let card = SecretRequest::Pin {
            token: "card".into(),
            serial: "1".into(),
            state: PinState::Ok,
        };
        let (pin, other) = (
            Secret::new("47114711").unwrap(),
            Secret::new("1234").unwrap(),
        );
        let note = |offer| pins.note(&card, &pin, offer).unwrap();
        let is_there = || folder.join("refused-pins").exists();
        for ended in [Unjudged, Accepted] {
            note(Begun);
            note(ended);
            assert!(!is_there(), "nothing is left of it");
        }
        note(Begun);
        assert!(!pins.contains(&card, &pin), "the first");
        note(Begun);
        assert!(pins.contains(&card, &pin) && !pins.contains(&card, &other));
        note(Unjudged);
        assert!(!pins.contains(&card, &pin), "one is taken back");
        note(Accepted);
        assert!(!is_there());
        fs::remove_dir_all(&folder).unwrap();
    }
}
