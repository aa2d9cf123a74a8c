//! Where a key is: `pkcs11:` URIs (RFC 7512).
//!
//! `pkcs11:token=eSeal;object=signing?module-path=/usr/lib/vendor.so&pin-source=file:/run/pin`: the path
//! names the token and the object, the query says how to reach them. Attributes that are given must
//! match; ones that are not given match anything (section 2.5).
//!
//! Read more widely than the grammar in two points, because commands in use write it so: the
//! attributes of the query may also stand in the path (`step kms`), and `/` needs no escape there.
//! Vendor attributes are accepted and ignored. A PIN that stands in a URI is never printed again.

mod attribute;
mod display;
mod error;
mod parse;
mod percent;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::str::FromStr;

pub use attribute::Attribute;
pub use error::{UriError, UriFault, UriPlace};

use crate::pin::Pin;

/// A parsed `pkcs11:` URI. [`Display`](std::fmt::Display) prints it ready to paste, without a PIN and
/// without vendor attributes.
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
    pub(crate) pin_value: Option<Pin>,
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
}

impl FromStr for Pkcs11Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        parse::parse(text)
    }
}

impl Pkcs11Uri {
    /// `module-path`: the PKCS #11 library of the token's vendor. Without it there is nothing to load,
    /// so its absence is an error that says what to add.
    pub fn module_path(&self) -> Result<&Path, UriError> {
        match &self.module_path {
            Some(path) => Ok(Path::new(path)),
            None => Err(UriError::attribute(
                Attribute::ModulePath,
                UriFault::Missing,
            )),
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

    /// `manufacturer` of the token.
    pub fn manufacturer(&self) -> Option<&str> {
        self.manufacturer.as_deref()
    }

    /// `model` of the token.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// `serial`: the token's serial number.
    pub fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
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
    /// a [`crate::PinProvider`] may.
    pub fn pin_source(&self) -> Option<&str> {
        self.pin_source.as_deref()
    }

    /// `pin-value`: a PIN in clear. Whoever uses it should warn: URIs end up in process lists and logs.
    pub const fn pin_value(&self) -> Option<&Pin> {
        self.pin_value.as_ref()
    }

    /// `max-sessions` (as `step kms` spells it): how many sessions a pool may open, from 1 to
    /// [`crate::limits::MAX_SESSIONS`].
    pub const fn max_sessions(&self) -> Option<u32> {
        self.max_sessions
    }
}
