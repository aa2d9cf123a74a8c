//! What is wrong with a URI.

use std::fmt;

use super::attribute::Attribute;
use crate::limits::{MAX_CERTIFICATES, MAX_HOST, MAX_LABEL, MAX_PASSWORD, MAX_URI};

/// A `yubihsm:` URI was refused. Says which attribute and which rule; never a value, because any value
/// may be a password that was put in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UriError {
    /// Where in the URI.
    pub place: UriPlace,
    /// What is wrong there.
    pub fault: UriFault,
}

/// Where in the URI something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriPlace {
    /// The URI as a whole.
    Uri,
    /// A known attribute.
    Attribute(Attribute),
    /// An attribute of the path that is not known, counted from 1.
    PathPart(usize),
    /// An attribute of the query that is not known, counted from 1.
    QueryPart(usize),
}

/// What is wrong with a URI or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriFault {
    /// It does not begin with `yubihsm:`.
    Scheme,
    /// More than [`MAX_URI`] bytes.
    TooLong,
    /// The attribute is needed and not there.
    Missing,
    /// The name is none of the attributes.
    Unknown,
    /// No `=` and a value.
    NoValue,
    /// A value where none belongs.
    Value,
    /// It stands there twice.
    Duplicate,
    /// It belongs before the `?`.
    NotOfQuery,
    /// It belongs after the `?`.
    OfQuery,
    /// It does not go together with `usb`, or only with `usb`.
    Transport,
    /// It does not go together with `cert-ids`.
    TwoChains,
    /// `%` without two hexadecimal digits.
    Percent,
    /// A character that must be percent-encoded.
    Character,
    /// Not UTF-8.
    Utf8,
    /// Empty.
    Empty,
    /// Longer than its maximum.
    ValueTooLong,
    /// No number, or out of range.
    Number,
}

impl UriError {
    pub(crate) const fn attribute(attribute: Attribute, fault: UriFault) -> Self {
        Self {
            place: UriPlace::Attribute(attribute),
            fault,
        }
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            UriPlace::Uri => f.write_str("the URI ")?,
            UriPlace::Attribute(attribute) => write!(f, "{attribute} ")?,
            UriPlace::PathPart(number) => write!(f, "path attribute number {number} ")?,
            UriPlace::QueryPart(number) => write!(f, "query attribute number {number} ")?,
        }
        match self.fault {
            UriFault::Scheme => f.write_str("does not begin with \"yubihsm:\""),
            UriFault::TooLong => write!(f, "is longer than {MAX_URI} bytes"),
            UriFault::Missing => f.write_str("is missing in the yubihsm: URI"),
            UriFault::Unknown => f.write_str(
                "is none of host, port, usb, serial, auth-key, key-id, cert-ids, cert-label; and in the \
                 query pin-source, pin-value, timeout, session-wait, audit-dir",
            ),
            UriFault::NoValue => f.write_str("has no value"),
            UriFault::Value => f.write_str("takes no value"),
            UriFault::Duplicate => f.write_str("stands there more than once"),
            UriFault::NotOfQuery => f.write_str("belongs before the \"?\""),
            UriFault::OfQuery => f.write_str("belongs after the \"?\""),
            UriFault::Transport => {
                f.write_str("does not fit: host and port name a connector, serial goes with usb")
            }
            UriFault::TwoChains => f.write_str("does not go together with cert-ids"),
            UriFault::Percent => f.write_str("has a \"%\" without two hexadecimal digits"),
            UriFault::Character => f.write_str("has a character that must be percent-encoded"),
            UriFault::Utf8 => f.write_str("is not UTF-8"),
            UriFault::Empty => f.write_str("is empty"),
            UriFault::ValueTooLong => match self.place {
                UriPlace::Attribute(Attribute::Host) => write!(f, "is longer than {MAX_HOST} bytes"),
                UriPlace::Attribute(Attribute::CertIds) => {
                    write!(f, "names more than {MAX_CERTIFICATES} certificates")
                }
                UriPlace::Attribute(Attribute::CertLabel) => {
                    write!(f, "is longer than {MAX_LABEL} bytes")
                }
                _ => write!(f, "is longer than {MAX_PASSWORD} bytes"),
            },
            UriFault::Number => match self.place {
                UriPlace::Attribute(Attribute::Serial) => {
                    f.write_str("is not a serial number of ten digits")
                }
                UriPlace::Attribute(Attribute::Port) => f.write_str("is not a port from 1 to 65535"),
                UriPlace::Attribute(Attribute::Timeout) => {
                    f.write_str("is not a number of seconds from 1 to 60")
                }
                UriPlace::Attribute(Attribute::SessionWait) => {
                    f.write_str("is not a number of seconds from 0 to 60")
                }
                _ => f.write_str("is not an object id: 1 to 65534, decimal or with 0x hexadecimal"),
            },
        }
    }
}

impl std::error::Error for UriError {}
