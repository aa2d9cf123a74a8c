//! Where a key is: `yubihsm:` URIs.
//!
//! `yubihsm:host=127.0.0.1;port=12345;auth-key=2;key-id=100;cert-ids=101,102,103?pin-source=file:/run/pin`:
//! the path names the device, the authentication key that opens a session and the key that signs; the
//! query says how. The form is that of `pkcs11:` URIs (RFC 7512), so that both are written alike. Ids
//! are decimal or, with `0x`, hexadecimal, as `yubihsm-shell` takes them.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use privyseal_hsm::uri::{UriError, UriFault, value};
use privyseal_hsm::{PinFile, absolute, key_uri};

use crate::limits::{
    CALL_TIMEOUT, CALL_TIMEOUTS, MAX_CERTIFICATES, MAX_HOST, MAX_LABEL, MAX_PASSWORD, MAX_URI,
    SESSION_WAIT, SESSION_WAITS,
};

key_uri! {
    /// A parsed `yubihsm:` URI. [`Display`](std::fmt::Display) prints it ready to paste, without a password.
    pub struct YubihsmUri: GRAMMAR = Attributes("yubihsm", MAX_URI);
    HOST host: text = Path "host", host;
    PORT port: (u16) = Path "port", value::within(1..=u16::MAX, "is not a port from 1 to 65535");
    USB usb: (bool) = Flag "usb", |_| Ok(true);
    SERIAL serial: text = Path "serial", serial;
    AUTH_KEY auth_key: (u16) = Path "auth-key", id;
    /// `key-id`: the id of the RSA key that signs.
    KEY_ID key_id: (u16) = Path "key-id", id;
    CERT_IDS cert_ids: (Ids) = Path "cert-ids", Ids::read;
    /// `cert-label`: the label of the opaque objects that hold the certificates of the chain.
    CERT_LABEL cert_label: text = Path "cert-label", value::name(MAX_LABEL);
    /// `pin-source`: where the password is, as it was written (`file:/run/pin`). This crate does not
    /// open it: a [`SecretProvider`](privyseal_hsm::SecretProvider) may.
    PIN_SOURCE pin_source: text = Query "pin-source", value::path;
    /// `pin-value`: a password in clear. A caller that uses it should warn: URIs end up in process lists and
    /// logs.
    PIN_VALUE pin_value: secret = Query "pin-value", value::secret(MAX_PASSWORD);
    TIMEOUT timeout: (u64) = Query "timeout", seconds(CALL_TIMEOUTS, "is not a number of seconds from 1 to 60");
    SESSION_WAIT_ATTRIBUTE session_wait: (u64) =
        Query "session-wait", seconds(SESSION_WAITS, "is not a number of seconds from 0 to 60");
    AUDIT_DIR audit_dir: text = Query "audit-dir", value::path;
}

/// Ids of objects, with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids(pub(crate) Vec<u16>);

/// How a device is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// Through a `yubihsm-connector`, over HTTP. What goes through it is encrypted and authenticated
    /// end to end by the session with the device (SCP03); the connector need not be trusted.
    Http {
        /// Host name or address; IPv6 in brackets. Default `127.0.0.1`.
        host: String,
        /// TCP port. Default 12345.
        port: u16,
    },
    /// On this machine's USB bus. Needs the feature `usb`.
    Usb {
        /// Serial number, ten digits; `None` for the only device there is.
        serial: Option<String>,
    },
}

impl FromStr for YubihsmUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        const TWO_CHAINS: UriFault = UriFault::Rule("does not go together with cert-ids");
        const TRANSPORT: UriFault =
            UriFault::Rule("does not fit: host and port name a connector, serial goes with usb");
        let given = GRAMMAR.parse(text)?;
        let mut uri = Self::read(&given)?;
        let usb = given.has(USB);
        for (attribute, other, fault) in [
            (HOST, usb, TRANSPORT),
            (PORT, usb, TRANSPORT),
            (SERIAL, !usb, TRANSPORT),
            (CERT_LABEL, given.has(CERT_IDS), TWO_CHAINS),
        ] {
            if other && given.has(attribute) {
                return Err(GRAMMAR.refuse(attribute, fault));
            }
        }
        // What is meant is printed, too.
        if !usb {
            uri.host.get_or_insert_with(|| DEFAULT_HOST.into());
            uri.port.get_or_insert(DEFAULT_PORT);
        }
        uri.auth_key.get_or_insert(DEFAULT_AUTH_KEY);
        Ok(uri)
    }
}

fn host(bytes: &[u8]) -> Result<String, UriFault> {
    let host = value::name(MAX_HOST)(bytes)?;
    let fits = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b".-_".contains(&it)),
    };
    fits.then_some(host).ok_or(UriFault::Rule(
        "is neither a host name nor an address (IPv6 in brackets)",
    ))
}

fn serial(bytes: &[u8]) -> Result<String, UriFault> {
    let serial = value::decimal::<u32>(bytes).and_then(|_| value::text(bytes));
    serial
        .ok()
        .filter(|serial| serial.len() == 10)
        .ok_or(UriFault::Rule("is not a serial number of ten digits"))
}

fn id(bytes: &[u8]) -> Result<u16, UriFault> {
    const NOT_AN_ID: UriFault =
        UriFault::Rule("is not an object id: 1 to 65534, decimal or with 0x hexadecimal");
    match (object_id(bytes), bytes) {
        (Some(id), _) => Ok(id),
        (None, []) => Err(UriFault::Empty),
        (None, _) => Err(NOT_AN_ID),
    }
}

/// 0 means "choose one" to the device, 0xffff is reserved.
fn object_id(bytes: &[u8]) -> Option<u16> {
    let id = match bytes.strip_prefix(b"0x") {
        Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => {
            u16::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()
        }
        Some(_) => None,
        None => value::decimal(bytes).ok(),
    };
    id.filter(|id| (1..u16::MAX).contains(id))
}

impl Ids {
    fn read(bytes: &[u8]) -> Result<Self, UriFault> {
        let parts = bytes.split(|&byte| byte == b',');
        let ids: Option<Vec<u16>> = parts.map(object_id).collect();
        match ids {
            Some(ids) if ids.len() > MAX_CERTIFICATES => {
                Err(UriFault::Rule("names more than 6 certificates"))
            }
            Some(ids) => Ok(Self(ids)),
            None => Err(UriFault::Rule(
                "is not object ids with commas between them: 1 to 65534",
            )),
        }
    }
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<String> = self.0.iter().map(u16::to_string).collect();
        f.write_str(&ids.join(","))
    }
}

fn seconds(
    (shortest, longest): (Duration, Duration),
    rule: &'static str,
) -> impl FnOnce(&[u8]) -> Result<u64, UriFault> {
    value::within(shortest.as_secs()..=longest.as_secs(), rule)
}

/// As a message names a device.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { host, port } => write!(f, "http://{host}:{port}"),
            Self::Usb {
                serial: Some(serial),
            } => write!(f, "usb serial {serial}"),
            Self::Usb { serial: None } => f.write_str("usb"),
        }
    }
}

impl YubihsmUri {
    /// Where the device is.
    pub fn endpoint(&self) -> Endpoint {
        if self.usb.is_some() {
            let serial = self.serial.clone();
            return Endpoint::Usb { serial };
        }
        let (host, port) = (self.host.as_deref(), self.port);
        Endpoint::Http {
            host: host.unwrap_or(DEFAULT_HOST).into(),
            port: port.unwrap_or(DEFAULT_PORT),
        }
    }

    /// `auth-key`: the id of the authentication key that opens the session. Default 1, the factory's.
    pub fn auth_key(&self) -> u16 {
        self.auth_key.unwrap_or(DEFAULT_AUTH_KEY)
    }

    /// The same from any folder: paths of the working folder are named from the root.
    ///
    /// # Errors
    /// The working folder has no name, or none that is UTF-8.
    pub fn absolute(&self) -> io::Result<Self> {
        let source = self.pin_source.as_deref().map(PinFile::absolute_source);
        let folder = self.audit_dir().map(absolute);
        Ok(Self {
            pin_source: source.transpose()?,
            audit_dir: folder.transpose()?,
            ..self.clone()
        })
    }

    /// `key-id`, where it must be given.
    ///
    /// # Errors
    /// It is missing.
    pub fn required_key_id(&self) -> Result<u16, UriError> {
        self.key_id
            .ok_or_else(|| GRAMMAR.refuse(KEY_ID, UriFault::Missing))
    }

    /// `cert-ids`: the opaque objects that hold the certificates of the chain, one each.
    pub fn cert_ids(&self) -> &[u16] {
        self.cert_ids.as_ref().map_or(&[], |ids| &ids.0)
    }

    /// `timeout`: how long one command may take, in whole seconds from 1 to 60. Default 5.
    pub fn timeout(&self) -> Duration {
        self.timeout.map_or(CALL_TIMEOUT, Duration::from_secs)
    }

    /// `session-wait`: how long to wait while all sessions of the device are taken, in whole seconds from
    /// 0 to 60. Default 31: the device frees a session that was idle for 30.
    pub fn session_wait(&self) -> Duration {
        self.session_wait.map_or(SESSION_WAIT, Duration::from_secs)
    }

    /// `audit-dir`: the directory that holds what was drained from the device's log, and the count of
    /// our own signatures. With it, every signature is counted and the log is drained in time.
    pub fn audit_dir(&self) -> Option<&Path> {
        self.audit_dir.as_ref().map(Path::new)
    }

    /// `audit-dir`, where it must be given.
    ///
    /// # Errors
    /// It is missing.
    pub fn required_audit_dir(&self) -> Result<&Path, UriError> {
        self.audit_dir()
            .ok_or_else(|| GRAMMAR.refuse(AUDIT_DIR, UriFault::Missing))
    }

    /// The same device and session, another key.
    #[must_use]
    pub fn with_key_id(&self, key_id: u16) -> Self {
        Self {
            key_id: Some(key_id),
            cert_ids: None,
            cert_label: None,
            ..self.clone()
        }
    }

    /// The same device and session, a certificate.
    #[must_use]
    pub fn for_certificate(&self, id: u16) -> Self {
        Self {
            key_id: None,
            cert_ids: Some(Ids(vec![id])),
            cert_label: None,
            ..self.clone()
        }
    }
}

/// What `yubihsm-connector` listens on by default.
pub(crate) const DEFAULT_HOST: &str = "127.0.0.1";
pub(crate) const DEFAULT_PORT: u16 = 12345;

/// The authentication key of a device fresh from the factory.
pub(crate) const DEFAULT_AUTH_KEY: u16 = 1;
