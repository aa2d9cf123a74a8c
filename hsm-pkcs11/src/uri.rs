//! Where a key is: `pkcs11:` URIs (RFC 7512).
//!
//! `pkcs11:token=eSeal;object=signing?module-path=/usr/lib/vendor.so&pin-source=file:/run/pin`: the path
//! names the token and the object, the query says how to reach them. Attributes that are given must
//! match; ones that are not given match anything (section 2.5).
//!
//! Read more widely than the grammar in two points, because commands in use write it so: the
//! attributes of the query may also stand in the path (`step kms`), and `/` needs no escape there.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use privyseal_hsm::uri::{UriError, UriFault, UriWriter, value};
use privyseal_hsm::{Secret, key_uri_grammar};

use crate::limits::{MAX_ID, MAX_PIN, MAX_SESSIONS, MAX_URI};

key_uri_grammar! {
    GRAMMAR = Attributes("pkcs11", MAX_URI);
    TOKEN = Path "token";
    MANUFACTURER = Path "manufacturer";
    MODEL = Path "model";
    SERIAL = Path "serial";
    SLOT_ID = Path "slot-id";
    SLOT_DESCRIPTION = Path "slot-description";
    SLOT_MANUFACTURER = Path "slot-manufacturer";
    LIBRARY_DESCRIPTION = Path "library-description";
    LIBRARY_MANUFACTURER = Path "library-manufacturer";
    LIBRARY_VERSION = Path "library-version";
    OBJECT = Path "object";
    ID = Path "id";
    TYPE = Path "type";
    MODULE_NAME = Anywhere "module-name";
    MODULE_PATH = Anywhere "module-path";
    MODULE_INIT_ARGS = Anywhere "module-init-args";
    PIN_SOURCE = Anywhere "pin-source";
    PIN_VALUE = Anywhere "pin-value";
    MAX_SESSIONS_ATTRIBUTE = Anywhere "max-sessions";
}

/// A parsed `pkcs11:` URI. [`Display`](fmt::Display) prints it ready to paste, without a PIN and without
/// vendor attributes, in p11tool's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pkcs11Uri {
    pub(crate) token: Option<String>,
    pub(crate) manufacturer: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) slot_id: Option<u64>,
    pub(crate) slot_description: Option<String>,
    pub(crate) slot_manufacturer: Option<String>,
    pub(crate) library_description: Option<String>,
    pub(crate) library_manufacturer: Option<String>,
    pub(crate) library_version: Option<(u8, u8)>,
    pub(crate) object: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) object_type: Option<ObjectType>,
    pub(crate) module_name: Option<String>,
    pub(crate) module_path: Option<String>,
    pub(crate) module_init_args: Option<String>,
    pub(crate) pin_source: Option<String>,
    pub(crate) pin_value: Option<Secret>,
    pub(crate) max_sessions: Option<u32>,
}

/// The `type` attribute: what kind of object is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectType {
    /// `private`: a private key.
    Private,
    /// `public`: a public key.
    Public,
    /// `cert`: a certificate.
    Certificate,
    /// `secret-key`: a symmetric key.
    SecretKey,
    /// `data`: a data object.
    Data,
}

impl ObjectType {
    const ALL: [Self; 5] = [
        Self::Private,
        Self::Public,
        Self::Certificate,
        Self::SecretKey,
        Self::Data,
    ];

    /// As it is written in a URI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
            Self::Certificate => "cert",
            Self::SecretKey => "secret-key",
            Self::Data => "data",
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, UriFault> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str().as_bytes() == bytes)
            .ok_or(UriFault::Rule(
                "is none of public, private, cert, secret-key, data (RFC 7512 section 2.3)",
            ))
    }
}

impl FromStr for Pkcs11Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let given = GRAMMAR.parse(text)?;
        let sessions = value::within(1..=MAX_SESSIONS, "is not a decimal number from 1 to 1024");
        Ok(Self {
            token: given.read(TOKEN, value::text)?,
            manufacturer: given.read(MANUFACTURER, value::text)?,
            model: given.read(MODEL, value::text)?,
            serial: given.read(SERIAL, value::text)?,
            slot_id: given.read(SLOT_ID, value::decimal)?,
            slot_description: given.read(SLOT_DESCRIPTION, value::text)?,
            slot_manufacturer: given.read(SLOT_MANUFACTURER, value::text)?,
            library_description: given.read(LIBRARY_DESCRIPTION, value::text)?,
            library_manufacturer: given.read(LIBRARY_MANUFACTURER, value::text)?,
            library_version: given.read(LIBRARY_VERSION, version)?,
            object: given.read(OBJECT, value::text)?,
            id: given.read(ID, value::bytes(MAX_ID))?,
            object_type: given.read(TYPE, ObjectType::read)?,
            module_name: given.read(MODULE_NAME, module_name)?,
            module_path: given.read(MODULE_PATH, value::path)?,
            module_init_args: given.read(MODULE_INIT_ARGS, value::path)?,
            pin_source: given.read(PIN_SOURCE, value::path)?,
            pin_value: given.read(PIN_VALUE, value::secret(MAX_PIN))?,
            max_sessions: given.read(MAX_SESSIONS_ATTRIBUTE, sessions)?,
        })
    }
}

/// A file's name without folder and suffix (section 2.3).
fn module_name(bytes: &[u8]) -> Result<String, UriFault> {
    const A_PATH: UriFault =
        UriFault::Rule("is a path, and a name belongs there (RFC 7512 section 2.3)");
    value::path(bytes).and_then(|name| {
        let is_path = name.contains(std::path::is_separator);
        if is_path { Err(A_PATH) } else { Ok(name) }
    })
}

/// `1*DIGIT [ "." 1*DIGIT ]`; a missing minor version is 0 (section 2.3).
fn version(bytes: &[u8]) -> Result<(u8, u8), UriFault> {
    let rule = |_| {
        UriFault::Rule(
            "is not a version such as 2 or 2.40, each part at most 255 (RFC 7512 section 2.3)",
        )
    };
    let mut parts = bytes.splitn(2, |&byte| byte == b'.');
    let mut part = || parts.next().map(value::decimal).transpose().map_err(rule);
    Ok((part()?.unwrap_or(0), part()?.unwrap_or(0)))
}

/// Whether an attribute fits what is there; one that is not given fits anything (section 2.5).
pub(crate) fn fits<T: ?Sized + PartialEq>(wanted: Option<&T>, is: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == is)
}

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self
            .library_version
            .map(|(major, minor)| format!("{major}.{minor}"));
        let mut out = UriWriter::new(&GRAMMAR, "");
        out.text(LIBRARY_DESCRIPTION, self.library_description.as_deref())
            .text(LIBRARY_MANUFACTURER, self.library_manufacturer.as_deref())
            .plain(LIBRARY_VERSION, version)
            .text(SLOT_DESCRIPTION, self.slot_description.as_deref())
            .text(SLOT_MANUFACTURER, self.slot_manufacturer.as_deref())
            .plain(SLOT_ID, self.slot_id)
            .text(MODEL, self.model.as_deref())
            .text(MANUFACTURER, self.manufacturer.as_deref())
            .text(SERIAL, self.serial.as_deref())
            .text(TOKEN, self.token.as_deref())
            .bytes(ID, self.id.as_deref())
            .text(OBJECT, self.object.as_deref())
            .plain(TYPE, self.object_type.map(ObjectType::as_str))
            .text(MODULE_NAME, self.module_name.as_deref())
            .text(MODULE_PATH, self.module_path.as_deref())
            .text(MODULE_INIT_ARGS, self.module_init_args.as_deref())
            .text(PIN_SOURCE, self.pin_source.as_deref())
            .plain(MAX_SESSIONS_ATTRIBUTE, self.max_sessions);
        f.write_str(out.as_str())
    }
}

impl Pkcs11Uri {
    /// `module-path`: the PKCS #11 library of the token's vendor. Without it and `module-name`, p11-kit's modules are
    /// used.
    ///
    /// # Errors
    /// It is missing.
    pub fn module_path(&self) -> Result<&Path, UriError> {
        const MISSING: UriFault = UriFault::Rule(
            "is missing: it is the path of the vendor's PKCS #11 library, in the query, as \
             ?module-path=/usr/lib/softhsm/libsofthsm2.so; without it, p11-kit's modules are used, and \
             p11-kit-proxy.so is not there",
        );
        let path = self.module_path.as_ref();
        path.map(Path::new)
            .ok_or_else(|| GRAMMAR.refuse(MODULE_PATH, MISSING))
    }

    /// That the URI names a private key, or any kind of object.
    pub(crate) fn check_names_key(&self) -> Result<(), UriError> {
        const NOT_A_KEY: UriFault =
            UriFault::Rule("names no private key: it is private, or left out");
        match self.object_type {
            None | Some(ObjectType::Private) => Ok(()),
            Some(_) => Err(GRAMMAR.refuse(TYPE, NOT_A_KEY)),
        }
    }

    /// `module-init-args`: a text for `C_Initialize`, for modules that want one, as NSS does
    /// (`configdir='sql:/etc/pki/nssdb' flags=readOnly`).
    pub fn module_init_args(&self) -> Option<&str> {
        self.module_init_args.as_deref()
    }

    /// `token`: the token's label.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// `slot-id`: the number of the slot.
    pub const fn slot_id(&self) -> Option<u64> {
        self.slot_id
    }

    /// `object`: the object's label, `CKA_LABEL`.
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// `id`: the object's `CKA_ID`.
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    /// `type`: what kind of object is meant.
    pub const fn object_type(&self) -> Option<ObjectType> {
        self.object_type
    }

    /// `pin-source`: where the PIN is, as it was written (`file:/run/pin`). This crate does not open it:
    /// a [`SecretProvider`](privyseal_hsm::SecretProvider) may.
    pub fn pin_source(&self) -> Option<&str> {
        self.pin_source.as_deref()
    }

    /// `pin-value`: a PIN in clear. A caller that uses it should warn: URIs end up in process lists and logs.
    pub const fn pin_value(&self) -> Option<&Secret> {
        self.pin_value.as_ref()
    }

    /// `max-sessions` (as `step kms` spells it): how many sessions a pool may open, from 1 to
    /// [`crate::limits::MAX_SESSIONS`].
    pub const fn max_sessions(&self) -> Option<u32> {
        self.max_sessions
    }
}
