//! Where a key is: `yubihsm:` URIs.
//!
//! `yubihsm:host=127.0.0.1;port=12345;auth-key=2;key-id=100;cert-ids=101,102,103?pin-source=file:/run/pin`:
//! the path names the device, the authentication key that opens a session and the key that signs; the
//! query says how. The form is that of `pkcs11:` URIs (RFC 7512), so that both are written alike. Ids
//! are decimal or, with `0x`, hexadecimal, as `yubihsm-shell` takes them. Nothing unknown is accepted: a
//! misspelt attribute must not change which key is used. A password that stands in a URI is never
//! printed again.

mod attribute;
mod display;
mod error;
mod parse;
mod percent;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

pub use attribute::Attribute;
pub use error::{UriError, UriFault, UriPlace};

use crate::limits::{CALL_TIMEOUT, SESSION_WAIT};
use crate::password::Password;

/// A parsed `yubihsm:` URI. [`Display`](std::fmt::Display) prints it ready to paste, without a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YubihsmUri {
    pub(crate) endpoint: Endpoint,
    pub(crate) auth_key: u16,
    pub(crate) key_id: Option<u16>,
    pub(crate) cert_ids: Vec<u16>,
    pub(crate) cert_label: Option<String>,
    pub(crate) pin_source: Option<String>,
    pub(crate) pin_value: Option<Password>,
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
        parse::parse(text)
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

    /// `cert-ids`: the opaque objects that hold the certificates of the chain, one each.
    pub fn cert_ids(&self) -> &[u16] {
        &self.cert_ids
    }

    /// `cert-label`: the label of the opaque objects that hold the certificates of the chain.
    pub fn cert_label(&self) -> Option<&str> {
        self.cert_label.as_deref()
    }

    /// `pin-source`: where the password is, as it was written (`file:/run/pin`). This crate does not
    /// open it: a [`crate::PasswordProvider`] may.
    pub fn pin_source(&self) -> Option<&str> {
        self.pin_source.as_deref()
    }

    /// `pin-value`: a password in clear. Whoever uses it should warn: URIs end up in process lists and
    /// logs.
    pub const fn pin_value(&self) -> Option<&Password> {
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
