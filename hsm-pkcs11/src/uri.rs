//! Where a key is: `pkcs11:` URIs (RFC 7512).
//!
//! `pkcs11:token=eSeal;object=signing?module-path=/usr/lib/vendor.so&pin-source=file:/run/pin`: the path
//! names the token and the object, the query says how to reach them. Attributes that are given must
//! match; ones that are not given match anything (section 2.5).
//!
//! Read more widely than the grammar in three points, because commands in use write it so: the
//! attributes of the query may also stand in the path, and an `id` that no object has is read as bare hexadecimal digits
//! (both `step kms`), and `/` needs no escape there.

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::str::FromStr;

use privyseal_core::named;
use privyseal_hsm::uri::{UriError, UriFault, value};
use privyseal_hsm::{PinFile, absolute, key_uri};

use crate::limits::{MAX_ID, MAX_PIN, MAX_SESSIONS, MAX_URI};

key_uri! {
    /// A parsed `pkcs11:` URI. [`Display`](std::fmt::Display) prints it ready to paste, without a PIN and without
    /// vendor attributes, in p11tool's order.
    pub struct Pkcs11Uri: GRAMMAR = Attributes("pkcs11", MAX_URI);
    LIBRARY_DESCRIPTION library_description: text = Path "library-description", padded;
    LIBRARY_MANUFACTURER library_manufacturer: text = Path "library-manufacturer", padded;
    LIBRARY_VERSION library_version: text = Path "library-version", version;
    SLOT_DESCRIPTION slot_description: text = Path "slot-description", padded;
    SLOT_MANUFACTURER slot_manufacturer: text = Path "slot-manufacturer", padded;
    /// `slot-id`: the number of the slot.
    SLOT_ID slot_id: (u64) = Path "slot-id", value::decimal;
    MODEL model: text = Path "model", padded;
    MANUFACTURER manufacturer: text = Path "manufacturer", padded;
    SERIAL serial: text = Path "serial", padded;
    /// `token`: the token's label.
    TOKEN token: text = Path "token", padded;
    /// `id`: the object's `CKA_ID`.
    ID id: bytes = Path "id", value::bytes(MAX_ID);
    /// `object`: the object's label, `CKA_LABEL`.
    OBJECT object: text = Path "object", value::text;
    /// `type`: what kind of object is meant.
    TYPE object_type: (ObjectType) = Path "type", ObjectType::read;
    MODULE_NAME module_name: text = Anywhere "module-name", module_name;
    MODULE_PATH module_path: text = Anywhere "module-path", value::path;
    /// `module-init-args`: a text for `C_Initialize`, for modules that want one, as NSS does
    /// (`configdir='sql:/etc/pki/nssdb' flags=readOnly`).
    MODULE_INIT_ARGS module_init_args: text = Anywhere "module-init-args", value::path;
    /// `pin-source`: where the PIN is, as it was written (`file:/run/pin`). This crate does not open it:
    /// a [`SecretProvider`](privyseal_hsm::SecretProvider) may.
    PIN_SOURCE pin_source: text = Anywhere "pin-source", value::path;
    /// `pin-value`: a PIN in clear. A caller that uses it should warn: URIs end up in process lists and logs.
    PIN_VALUE pin_value: secret = Anywhere "pin-value", value::secret(MAX_PIN);
    /// `max-sessions` (as `step kms` spells it): how many sessions a pool may open, from 1 to
    /// 1,024.
    MAX_SESSIONS_ATTRIBUTE max_sessions: (u32) = Anywhere "max-sessions", sessions;
}

named! {
    /// The `type` attribute: what kind of object is meant, named as in a URI.
    #[non_exhaustive]
    pub enum ObjectType {
        /// `private`: a private key.
        Private = "private",
        /// `public`: a public key.
        Public = "public",
        /// `cert`: a certificate.
        Certificate = "cert",
        /// `secret-key`: a symmetric key.
        SecretKey = "secret-key",
        /// `data`: a data object.
        Data = "data",
    }
}

impl ObjectType {
    fn read(bytes: &[u8]) -> Result<Self, UriFault> {
        let kind = std::str::from_utf8(bytes).ok().and_then(Self::by_name);
        kind.ok_or(UriFault::Rule(
            "is none of public, private, cert, secret-key, data (RFC 7512 section 2.3)",
        ))
    }
}

impl FromStr for Pkcs11Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::read(&GRAMMAR.parse(text)?)
    }
}

fn sessions(bytes: &[u8]) -> Result<u32, UriFault> {
    value::within(1..=MAX_SESSIONS, "is not a decimal number from 1 to 1024")(bytes)
}

/// A text of a field of fixed size: p11tool prints the zeros along with which some modules fill one up.
fn padded(bytes: &[u8]) -> Result<String, UriFault> {
    value::text(without_padding(bytes))
}

/// A field is padded with blanks (PKCS #11 3.1 section 3.2); some modules pad with zeros.
pub(crate) fn without_padding(field: &[u8]) -> &[u8] {
    let end = field.iter().rposition(|byte| !matches!(byte, b' ' | 0));
    let end = end.map_or(0, |last| last.saturating_add(1));
    field.get(..end).unwrap_or_default()
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
fn version(bytes: &[u8]) -> Result<String, UriFault> {
    let rule = |_| {
        UriFault::Rule(
            "is not a version such as 2 or 2.40, each part at most 255 (RFC 7512 section 2.3)",
        )
    };
    let mut parts = bytes.splitn(2, |&byte| byte == b'.');
    let mut part = || parts.next().map(value::decimal).transpose().map_err(rule);
    let (major, minor): (Option<u8>, Option<u8>) = (part()?, part()?);
    Ok(format!("{}.{}", major.unwrap_or(0), minor.unwrap_or(0)))
}

/// Whether an attribute fits what is there; one that is not given fits anything (section 2.5).
pub(crate) fn fits<T: ?Sized + PartialEq>(wanted: Option<&T>, is: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == is)
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

    /// All that is behind the module that p11-kit knows by this name.
    #[must_use]
    pub fn of_module(name: &str) -> Self {
        Self {
            module_name: Some(name.into()),
            ..Self::default()
        }
    }

    /// The same, in the module that p11-kit knows by this name.
    pub(crate) fn in_module(&self, name: String) -> Self {
        Self {
            module_name: Some(name),
            ..self.clone()
        }
    }

    /// The same, with another label of the object.
    #[must_use]
    pub fn with_object(&self, label: &str) -> Self {
        Self {
            object: Some(label.into()),
            ..self.clone()
        }
    }

    /// The same from any folder: paths of the working folder are named from the root. A bare name of a module is no path.
    ///
    /// # Errors
    /// The working folder has no name, or none that is UTF-8.
    pub fn absolute(&self) -> io::Result<Self> {
        let path = |path: &String| match Path::new(path) {
            name if name.file_name() == Some(name.as_os_str()) => Ok(path.clone()),
            path => absolute(path),
        };
        let source = self.pin_source.as_deref().map(PinFile::absolute_source);
        Ok(Self {
            module_path: self.module_path.as_ref().map(path).transpose()?,
            pin_source: source.transpose()?,
            ..self.clone()
        })
    }

    /// `object`, where it must be given.
    pub(crate) fn required_object(&self) -> Result<&str, UriError> {
        let named = self.object().filter(|label| !label.is_empty());
        named.ok_or_else(|| GRAMMAR.refuse(OBJECT, UriFault::Missing))
    }

    /// The same thing, reached as `given` says.
    pub(crate) fn reached_as(self, given: &Self) -> Self {
        Self {
            module_path: given.module_path.clone(),
            module_name: given.module_name.clone(),
            module_init_args: given.module_init_args.clone(),
            pin_source: given.pin_source.clone(),
            max_sessions: given.max_sessions,
            ..self
        }
    }

    /// The `id` as `step kms` writes one: in hexadecimal digits, without a zero at the front.
    pub(crate) fn id_in_hex(&self) -> Option<Vec<u8>> {
        let digits = self.id()?.iter().rev().map(|&digit| {
            let digit = char::from(digit).to_digit(16)?;
            u8::try_from(digit).ok()
        });
        let digits: Vec<u8> = digits.collect::<Option<_>>()?;
        let pairs = digits.chunks(2);
        let bytes = pairs.map(|pair| pair[0] | pair.get(1).map_or(0, |high| high << 4));
        Some(bytes.rev().collect())
    }

    /// The private key that the URI names. That of a certificate or a public key, which other tools print, has the same `id`;
    /// its label may be another.
    pub(crate) fn of_private_key(&self) -> Result<Self, UriError> {
        const NOT_A_KEY: UriFault = UriFault::Rule(
            "names nothing that belongs to a private key: it is private, cert or public, or left out",
        );
        let mut key = self.clone();
        match self.object_type {
            None | Some(ObjectType::Private) => {}
            Some(ObjectType::Certificate | ObjectType::Public) => {
                key.object.take_if(|_| self.id.is_some());
            }
            Some(_) => return Err(GRAMMAR.refuse(TYPE, NOT_A_KEY)),
        }
        Ok(key)
    }
}
