//! Where a key is: `yubihsm:` URIs.
//!
//! `yubihsm:host=127.0.0.1;port=12345;auth-key=2;key-id=100;cert-ids=101,102,103?pin-source=file:/run/pin`:
//! the path names the device, the authentication key that opens a session and the key that signs; the
//! query says how. The form is that of `pkcs11:` URIs (RFC 7512), so that both are written alike. Ids
//! are decimal or, with `0x`, hexadecimal, as `yubihsm-shell` takes them.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use privyseal_hsm::uri::{Given, UriError, UriFault, UriWriter, value};
use privyseal_hsm::{Secret, key_uri_grammar};

use crate::limits::{
    CALL_TIMEOUT, CALL_TIMEOUTS, MAX_CERTIFICATES, MAX_HOST, MAX_LABEL, MAX_PASSWORD, MAX_URI,
    SESSION_WAIT, SESSION_WAITS,
};

key_uri_grammar! {
    GRAMMAR = Attributes("yubihsm", MAX_URI);
    HOST = Path "host";
    PORT = Path "port";
    USB = Flag "usb";
    SERIAL = Path "serial";
    AUTH_KEY = Path "auth-key";
    KEY_ID = Path "key-id";
    CERT_IDS = Path "cert-ids";
    CERT_LABEL = Path "cert-label";
    PIN_SOURCE = Query "pin-source";
    PIN_VALUE = Query "pin-value";
    TIMEOUT = Query "timeout";
    SESSION_WAIT_ATTRIBUTE = Query "session-wait";
    AUDIT_DIR = Query "audit-dir";
}

/// A parsed `yubihsm:` URI. [`Display`](std::fmt::Display) prints it ready to paste, without a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YubihsmUri {
    pub(crate) endpoint: Endpoint,
    pub(crate) auth_key: u16,
    pub(crate) key_id: Option<u16>,
    pub(crate) cert_ids: Vec<u16>,
    pub(crate) cert_label: Option<String>,
    pub(crate) pin_source: Option<String>,
    pub(crate) pin_value: Option<Secret>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) session_wait: Option<Duration>,
    pub(crate) audit_dir: Option<PathBuf>,
}

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
        const TIMEOUT_RULE: &str = "is not a number of seconds from 1 to 60";
        const WAIT_RULE: &str = "is not a number of seconds from 0 to 60";
        let given = GRAMMAR.parse(text)?;
        let uri = Self {
            endpoint: Endpoint::read(&given)?,
            auth_key: given.read(AUTH_KEY, id)?.unwrap_or(DEFAULT_AUTH_KEY),
            key_id: given.read(KEY_ID, id)?,
            cert_ids: given.read(CERT_IDS, ids)?.unwrap_or_default(),
            cert_label: given.read(CERT_LABEL, value::name(MAX_LABEL))?,
            pin_source: given.read(PIN_SOURCE, value::path)?,
            pin_value: given.read(PIN_VALUE, value::secret(MAX_PASSWORD))?,
            timeout: given.read(TIMEOUT, seconds(CALL_TIMEOUTS, TIMEOUT_RULE))?,
            session_wait: given.read(SESSION_WAIT_ATTRIBUTE, seconds(SESSION_WAITS, WAIT_RULE))?,
            audit_dir: given.read(AUDIT_DIR, value::path)?.map(PathBuf::from),
        };
        if given.has(CERT_IDS) && given.has(CERT_LABEL) {
            const TWO_CHAINS: UriFault = UriFault::Rule("does not go together with cert-ids");
            return Err(GRAMMAR.refuse(CERT_LABEL, TWO_CHAINS));
        }
        Ok(uri)
    }
}

impl Endpoint {
    fn read(given: &Given<'_>) -> Result<Self, UriError> {
        const TRANSPORT: UriFault =
            UriFault::Rule("does not fit: host and port name a connector, serial goes with usb");
        let usb = given.has(USB);
        let misplaced = [(HOST, usb), (PORT, usb), (SERIAL, !usb)];
        for (attribute, _) in misplaced.into_iter().filter(|(_, wrong)| *wrong) {
            if given.has(attribute) {
                return Err(GRAMMAR.refuse(attribute, TRANSPORT));
            }
        }
        let port = value::within(1..=u16::MAX, "is not a port from 1 to 65535");
        let (host, port) = (given.read(HOST, host)?, given.read(PORT, port)?);
        if usb {
            let serial = given.read(SERIAL, serial)?;
            return Ok(Self::Usb { serial });
        }
        Ok(Self::Http {
            host: host.unwrap_or_else(|| DEFAULT_HOST.into()),
            port: port.unwrap_or(DEFAULT_PORT),
        })
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

fn ids(bytes: &[u8]) -> Result<Vec<u16>, UriFault> {
    let parts = bytes.split(|&byte| byte == b',');
    let ids: Option<Vec<u16>> = parts.map(object_id).collect();
    match ids {
        Some(ids) if ids.len() > MAX_CERTIFICATES => {
            Err(UriFault::Rule("names more than 6 certificates"))
        }
        Some(ids) => Ok(ids),
        None => Err(UriFault::Rule(
            "is not object ids with commas between them: 1 to 65534",
        )),
    }
}

fn seconds(
    (shortest, longest): (Duration, Duration),
    rule: &'static str,
) -> impl FnOnce(&[u8]) -> Result<Duration, UriFault> {
    let range = shortest.as_secs()..=longest.as_secs();
    move |bytes| value::within(range, rule)(bytes).map(Duration::from_secs)
}

impl fmt::Display for YubihsmUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port, serial) = match &self.endpoint {
            Endpoint::Http { host, port } => (Some(host), Some(port), None),
            Endpoint::Usb { serial } => (None, None, serial.as_ref()),
        };
        let ids: Vec<String> = self.cert_ids.iter().map(u16::to_string).collect();
        let ids = Some(ids.join(",")).filter(|ids| !ids.is_empty());
        // The parser took it from UTF-8, so nothing is lost.
        let audit_dir = self.audit_dir.as_ref().and_then(|dir| dir.to_str());
        let mut out = UriWriter::new(&GRAMMAR, "");
        out.plain(HOST, host)
            .plain(PORT, port)
            .flag(USB, host.is_none())
            .plain(SERIAL, serial)
            .plain(AUTH_KEY, Some(self.auth_key))
            .plain(KEY_ID, self.key_id)
            .plain(CERT_IDS, ids)
            .text(CERT_LABEL, self.cert_label.as_deref())
            .text(PIN_SOURCE, self.pin_source.as_deref())
            .plain(TIMEOUT, self.timeout.map(|it| it.as_secs()))
            .plain(
                SESSION_WAIT_ATTRIBUTE,
                self.session_wait.map(|it| it.as_secs()),
            )
            .text(AUDIT_DIR, audit_dir);
        f.write_str(out.as_str())
    }
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
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// `auth-key`: the id of the authentication key that opens the session. Default 1, the factory's.
    pub const fn auth_key(&self) -> u16 {
        self.auth_key
    }

    /// `key-id`: the id of the RSA key that signs.
    pub const fn key_id(&self) -> Option<u16> {
        self.key_id
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
        &self.cert_ids
    }

    /// `cert-label`: the label of the opaque objects that hold the certificates of the chain.
    pub fn cert_label(&self) -> Option<&str> {
        self.cert_label.as_deref()
    }

    /// `pin-source`: where the password is, as it was written (`file:/run/pin`). This crate does not
    /// open it: a [`SecretProvider`](privyseal_hsm::SecretProvider) may.
    pub fn pin_source(&self) -> Option<&str> {
        self.pin_source.as_deref()
    }

    /// `pin-value`: a password in clear. A caller that uses it should warn: URIs end up in process lists and
    /// logs.
    pub const fn pin_value(&self) -> Option<&Secret> {
        self.pin_value.as_ref()
    }

    /// `timeout`: how long one command may take, in whole seconds from 1 to 60. Default 5.
    pub fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(CALL_TIMEOUT)
    }

    /// `session-wait`: how long to wait while all sessions of the device are taken, in whole seconds from
    /// 0 to 60. Default 31: the device frees a session that was idle for 30.
    pub fn session_wait(&self) -> Duration {
        self.session_wait.unwrap_or(SESSION_WAIT)
    }

    /// `audit-dir`: the directory that holds what was drained from the device's log, and the count of
    /// our own signatures. With it, every signature is counted and the log is drained in time.
    pub fn audit_dir(&self) -> Option<&Path> {
        self.audit_dir.as_deref()
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
            cert_ids: Vec::new(),
            cert_label: None,
            ..self.clone()
        }
    }
}

impl Default for YubihsmUri {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::Http {
                host: DEFAULT_HOST.into(),
                port: DEFAULT_PORT,
            },
            auth_key: DEFAULT_AUTH_KEY,
            key_id: None,
            cert_ids: Vec::new(),
            cert_label: None,
            pin_source: None,
            pin_value: None,
            timeout: None,
            session_wait: None,
            audit_dir: None,
        }
    }
}

/// What `yubihsm-connector` listens on by default.
pub(crate) const DEFAULT_HOST: &str = "127.0.0.1";
pub(crate) const DEFAULT_PORT: u16 = 12345;

/// The authentication key of a device fresh from the factory.
pub(crate) const DEFAULT_AUTH_KEY: u16 = 1;
