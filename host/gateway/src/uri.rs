//! `device:` key references: which line, how fast, and which key is expected there.

use core::fmt;
use core::str::FromStr;
use std::path::{Path, PathBuf};

use crate::hex;

/// The speed of a serial line where the URI names none, in bits a second.
pub const DEFAULT_BAUD: u32 = 115_200;

/// Where a gateway is: `device:/dev/ttyACM0` or `device:unix:PATH`.
///
/// After a `?`, with `&` between them: `baud=N` for a serial line, and `key-sha256=HEX` for the one key
/// that is expected there (SHA-256 of its SubjectPublicKeyInfo). The path is taken as it stands, up to the
/// first `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceUri {
    place: Place,
    key: Option<[u8; 32]>,
}

/// What the line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A serial port.
    Serial { path: PathBuf, baud: u32 },
    /// A socket of a bridge or an emulator.
    Unix(PathBuf),
}

/// Why a text is no reference to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceUriError {
    /// It does not begin with `device:`.
    Scheme,
    /// The path is empty.
    NoPath,
    /// An attribute that is not known.
    UnknownAttribute(String),
    /// An attribute is there twice.
    Duplicate(&'static str),
    /// `baud` is not 300 to 4,000,000, or a socket has one.
    Baud,
    /// `key-sha256` is not 64 hexadecimal digits.
    Key,
}

impl DeviceUri {
    /// The SHA-256 of the SubjectPublicKeyInfo of the key that is expected, if the URI names one.
    pub const fn key_sha256(&self) -> Option<&[u8; 32]> {
        self.key.as_ref()
    }

    /// The same reference, for this key only.
    #[must_use]
    pub fn with_key(mut self, key_sha256: [u8; 32]) -> Self {
        self.key = Some(key_sha256);
        self
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }
}

impl Place {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Serial { path, .. } | Self::Unix(path) => path,
        }
    }
}

impl FromStr for DeviceUri {
    type Err = DeviceUriError;

    fn from_str(text: &str) -> Result<Self, DeviceUriError> {
        let rest = match text.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("device") => rest,
            _ => return Err(DeviceUriError::Scheme),
        };
        let (path, attributes) = rest.split_once('?').unwrap_or((rest, ""));
        let attributes = Attributes::read(attributes)?;
        let place = match path.strip_prefix("unix:") {
            Some(path) if attributes.baud.is_some() && !path.is_empty() => {
                return Err(DeviceUriError::Baud);
            }
            Some(path) => Place::Unix(path.into()),
            None => Place::Serial {
                path: path.into(),
                baud: attributes.baud.unwrap_or(DEFAULT_BAUD),
            },
        };
        if place.path().as_os_str().is_empty() {
            return Err(DeviceUriError::NoPath);
        }
        Ok(Self {
            place,
            key: attributes.key,
        })
    }
}

#[derive(Default)]
struct Attributes {
    baud: Option<u32>,
    key: Option<[u8; 32]>,
}

impl Attributes {
    fn read(text: &str) -> Result<Self, DeviceUriError> {
        let mut attributes = Self::default();
        for attribute in text.split('&').filter(|attribute| !attribute.is_empty()) {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match name {
                "baud" => set(&mut attributes.baud, "baud", baud(value)?)?,
                "key-sha256" => {
                    let key = hex::decode(value).ok_or(DeviceUriError::Key)?;
                    set(&mut attributes.key, "key-sha256", key)?;
                }
                _ => return Err(DeviceUriError::UnknownAttribute(name.to_owned())),
            }
        }
        Ok(attributes)
    }
}

fn set<T>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), DeviceUriError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(DeviceUriError::Duplicate(name)),
    }
}

fn baud(value: &str) -> Result<u32, DeviceUriError> {
    value
        .parse()
        .ok()
        .filter(|baud| (300..=4_000_000).contains(baud))
        .ok_or(DeviceUriError::Baud)
}

/// Ready to paste.
impl fmt::Display for DeviceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '?';
        match &self.place {
            Place::Unix(path) => write!(f, "device:unix:{}", path.display())?,
            Place::Serial { path, baud } => {
                write!(f, "device:{}", path.display())?;
                if *baud != DEFAULT_BAUD {
                    write!(f, "?baud={baud}")?;
                    before = '&';
                }
            }
        }
        match &self.key {
            Some(key) => write!(f, "{before}key-sha256={}", hex::encode(key)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DeviceUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str(
                "is no device: URI; a gateway is named as in device:/dev/ttyACM0 or device:unix:PATH",
            ),
            Self::NoPath => f.write_str("names no serial port: device:/dev/ttyACM0"),
            Self::UnknownAttribute(name) => write!(
                f,
                "has the attribute {name:?}, which is none of baud and key-sha256"
            ),
            Self::Duplicate(name) => write!(f, "has {name} twice"),
            Self::Baud => {
                f.write_str("has a baud that is not 300 to 4000000, or that a socket has not")
            }
            Self::Key => f.write_str(
                "has a key-sha256 that is not 64 hexadecimal digits (SHA-256 of the \
                 SubjectPublicKeyInfo)",
            ),
        }
    }
}

impl core::error::Error for DeviceUriError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let key = format!("key-sha256={}", "0f".repeat(32));
        for text in [
            "device:/dev/ttyACM0".to_owned(),
            "device:/dev/ttyUSB0?baud=921600".to_owned(),
            "device:unix:/run/gateway.sock".to_owned(),
            "device:unix:gateway.sock".to_owned(),
            format!("device:/dev/ttyUSB0?baud=9600&{key}"),
            format!("device:unix:s?{key}"),
        ] {
            let uri: DeviceUri = text.parse().unwrap();
            assert_eq!(uri.to_string(), text);
        }
        let uri: DeviceUri = "DEVICE:/dev/ttyACM0?baud=115200".parse().unwrap();
        assert_eq!(uri.to_string(), "device:/dev/ttyACM0");
        let uri = uri.with_key([0xab; 32]);
        assert_eq!(uri.to_string().parse(), Ok(uri));
    }

    #[test]
    fn what_is_no_reference_says_why() {
        for (text, error) in [
            ("", DeviceUriError::Scheme),
            ("/dev/ttyACM0", DeviceUriError::Scheme),
            ("device:", DeviceUriError::NoPath),
            ("device:?baud=9600", DeviceUriError::NoPath),
            ("device:unix:", DeviceUriError::NoPath),
            ("device:/dev/t?baud=fast", DeviceUriError::Baud),
            ("device:/dev/t?baud=0", DeviceUriError::Baud),
            ("device:unix:s?baud=9600", DeviceUriError::Baud),
            ("device:/dev/t?key-sha256=00", DeviceUriError::Key),
            (
                "device:/dev/t?baud=9600&baud=9600",
                DeviceUriError::Duplicate("baud"),
            ),
            (
                "device:/dev/t?bauds=1",
                DeviceUriError::UnknownAttribute("bauds".into()),
            ),
        ] {
            assert_eq!(text.parse::<DeviceUri>(), Err(error), "{text}");
        }
    }
}
