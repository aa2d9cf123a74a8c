//! `device:` key references: which line, how fast, and which key is expected there.

use core::fmt;
use core::str::FromStr;
use std::path::{Path, PathBuf};

use privyseal_hsm::key_uri_grammar;
use privyseal_hsm::uri::{UriError, UriFault, UriWriter, value};
use privyseal_protocol::DeviceId;

use crate::hex;

key_uri_grammar! {
    GRAMMAR = Opaque("device", 16 * 1024);
    BAUD = Query "baud";
    DEVICE = Query "device";
    KEY_SHA256 = Query "key-sha256";
}

/// The speed of a serial line where the URI names none, in bits a second.
pub const DEFAULT_BAUD: u32 = 115_200;

/// Where a gateway is: `device:/dev/ttyACM0` or `device:unix:PATH`.
///
/// After a `?`, with `&` between them: `baud=N` for a serial line, `device=HEX` for the one device that is expected
/// there (its id), and `key-sha256=HEX` for the one key (SHA-256 of its SubjectPublicKeyInfo). The path is taken as it
/// stands, up to the first `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceUri {
    place: Place,
    device: Option<DeviceId>,
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

impl DeviceUri {
    /// The SHA-256 of the SubjectPublicKeyInfo of the key that is expected, if the URI names one.
    pub const fn key_sha256(&self) -> Option<&[u8; 32]> {
        self.key.as_ref()
    }

    /// The id of the device that is expected, if the URI names one.
    pub const fn device_id(&self) -> Option<&DeviceId> {
        self.device.as_ref()
    }

    /// The same reference, for this device only.
    #[must_use]
    pub fn with_device(mut self, device: DeviceId) -> Self {
        self.device = Some(device);
        self
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
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        const NO_PATH: UriFault = UriFault::Rule(
            "names no serial port, as device:/dev/ttyACM0, and no socket, as device:unix:PATH",
        );
        const SOCKET: UriFault =
            UriFault::Rule("is the speed of a serial line, and a socket has none");
        let given = GRAMMAR.parse(text)?;
        let speeds = value::within(300..=4_000_000, "is not a number from 300 to 4000000");
        let baud = given.read(BAUD, speeds)?;
        let place = match given.path().strip_prefix("unix:") {
            Some(path) if baud.is_some() && !path.is_empty() => {
                return Err(GRAMMAR.refuse(BAUD, SOCKET));
            }
            Some(path) => Place::Unix(path.into()),
            None => Place::Serial {
                path: given.path().into(),
                baud: baud.unwrap_or(DEFAULT_BAUD),
            },
        };
        if place.path().as_os_str().is_empty() {
            return Err(GRAMMAR.refuse_uri(NO_PATH));
        }
        let device = given.read(DEVICE, |bytes| {
            from_hex(bytes, "is not 24 hexadecimal digits (a device's id)")
        })?;
        let key = given.read(KEY_SHA256, |bytes| {
            from_hex(
                bytes,
                "is not 64 hexadecimal digits (SHA-256 of the SubjectPublicKeyInfo)",
            )
        })?;
        Ok(Self { place, device, key })
    }
}

fn from_hex<const N: usize>(bytes: &[u8], rule: &'static str) -> Result<[u8; N], UriFault> {
    let text = value::text(bytes).ok();
    text.and_then(|text| hex::decode(&text))
        .ok_or(UriFault::Rule(rule))
}

/// Ready to paste.
impl fmt::Display for DeviceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, baud) = match &self.place {
            Place::Unix(path) => (format!("unix:{}", path.display()), None),
            Place::Serial { path, baud } => (path.display().to_string(), Some(baud)),
        };
        let baud = baud.filter(|baud| **baud != DEFAULT_BAUD);
        let mut out = UriWriter::new(&GRAMMAR, &path);
        out.plain(BAUD, baud)
            .plain(DEVICE, self.device.as_ref().map(|id| hex::encode(id)))
            .plain(KEY_SHA256, self.key.as_ref().map(|key| hex::encode(key)));
        f.write_str(out.as_str())
    }
}

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
            format!("device:unix:s?device={}&{key}", "0a".repeat(12)),
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
        for (text, words) in [
            ("", "does not begin with \"device:\""),
            ("/dev/ttyACM0", "does not begin"),
            ("device:", "names no serial port"),
            ("device:?baud=9600", "names no serial port"),
            ("device:unix:", "names no serial port"),
            ("device:/dev/t?baud=fast", "baud is not a number from 300"),
            ("device:/dev/t?baud=0", "baud is not a number from 300"),
            (
                "device:unix:s?baud=9600",
                "baud is the speed of a serial line",
            ),
            ("device:/dev/t?key-sha256=00", "key-sha256 is not 64"),
            ("device:/dev/t?device=0g", "device is not 24 hexadecimal"),
            (
                "device:/dev/t?baud=9600&baud=9600",
                "baud stands there more than once",
            ),
            (
                "device:/dev/t?bauds=1",
                "(bauds) is none of baud, device and key-sha256",
            ),
        ] {
            let error = text.parse::<DeviceUri>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
