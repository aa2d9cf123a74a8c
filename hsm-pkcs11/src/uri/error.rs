//! What is wrong with a URI.

use std::fmt;

use super::attribute::Attribute;
use crate::limits::{MAX_ID, MAX_PIN, MAX_SESSIONS, MAX_URI};

/// A `pkcs11:` URI was refused. Says which attribute and which rule; never a value, because any value
/// may be a PIN that was put in the wrong place.
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
    /// An attribute of the path whose name is not known, counted from 1.
    PathPart(usize),
    /// An attribute of the query whose name is not known, counted from 1.
    QueryPart(usize),
}

/// What is wrong with a URI or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriFault {
    /// It does not begin with `pkcs11:`.
    Scheme,
    /// More than [`MAX_URI`] bytes.
    TooLong,
    /// The attribute is needed and not there.
    Missing,
    /// No `=` between name and value.
    NoEquals,
    /// The name has other characters than letters, digits, `-` and `_`, or is empty.
    Name,
    /// The attribute stands in the URI more than once.
    Duplicate,
    /// An attribute of the path stands in the query.
    NotOfQuery,
    /// A `%` without two hexadecimal digits after it, at this byte of the value.
    Percent {
        /// Which byte of the value, from 0.
        position: usize,
    },
    /// A character that must be percent-encoded, at this byte of the value.
    Character {
        /// Which byte of the value, from 0.
        position: usize,
    },
    /// The decoded value is not UTF-8.
    Utf8,
    /// The decoded value holds a NUL byte.
    Nul,
    /// The value is empty and may not be.
    Empty,
    /// The value is not a number in its range.
    Number,
    /// The value is not one of `public`, `private`, `cert`, `secret-key`, `data`.
    Type,
    /// The value is longer than allowed.
    ValueTooLong,
    /// The URI names an object that is no private key, where one is needed.
    NotAKey,
}

impl UriError {
    pub(crate) const fn attribute(attribute: Attribute, fault: UriFault) -> Self {
        Self {
            place: UriPlace::Attribute(attribute),
            fault,
        }
    }

    pub(super) const fn uri(fault: UriFault) -> Self {
        Self {
            place: UriPlace::Uri,
            fault,
        }
    }
}

impl fmt::Display for UriPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri => f.write_str("pkcs11 URI"),
            Self::Attribute(attribute) => write!(f, "pkcs11 URI: {attribute}"),
            Self::PathPart(part) => write!(f, "pkcs11 URI: path attribute number {part}"),
            Self::QueryPart(part) => write!(f, "pkcs11 URI: query attribute number {part}"),
        }
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, fault } = self;
        match fault {
            UriFault::Scheme => {
                write!(
                    f,
                    "{place} does not begin with \"pkcs11:\" (RFC 7512 section 2.3)"
                )
            }
            UriFault::TooLong => write!(f, "{place} is longer than {MAX_URI} bytes"),
            UriFault::Missing if *place == UriPlace::Attribute(Attribute::ModulePath) => write!(
                f,
                "{place} is missing: add the path of the vendor's PKCS #11 library to the query, for \
                 example ?module-path=/usr/lib/softhsm/libsofthsm2.so"
            ),
            UriFault::Missing => write!(f, "{place} is missing"),
            UriFault::NoEquals => write!(
                f,
                "{place} has no \"=\" (RFC 7512 section 2.3; \";\" separates path attributes and \"&\" \
                 query attributes, inside a value they are %3B and %26)"
            ),
            UriFault::Name => write!(
                f,
                "{place} has a name with other characters than letters, digits, \"-\" and \"_\" (RFC \
                 7512 section 2.3)"
            ),
            UriFault::Duplicate => {
                write!(
                    f,
                    "{place} stands there more than once (RFC 7512 section 2.3)"
                )
            }
            UriFault::NotOfQuery => {
                write!(
                    f,
                    "{place} belongs before the \"?\", it stands after it (RFC 7512 section 2.3)"
                )
            }
            UriFault::Percent { position } => write!(
                f,
                "{place} has a \"%\" without two hexadecimal digits at position {position} (RFC 3986 \
                 section 2.1)"
            ),
            UriFault::Character { position } => write!(
                f,
                "{place} has a character at position {position} that must be percent-encoded, as a \
                 space is %20 (RFC 7512 section 2.3)"
            ),
            UriFault::Utf8 => write!(
                f,
                "{place} is not UTF-8 once decoded (RFC 7512 section 2.3)"
            ),
            UriFault::Nul => write!(f, "{place} has a NUL byte"),
            UriFault::Empty => write!(f, "{place} is empty"),
            UriFault::Number => write!(f, "{place} is not {}", number_rule(*place)),
            UriFault::Type => write!(
                f,
                "{place} is none of public, private, cert, secret-key, data (RFC 7512 section 2.3)"
            ),
            UriFault::ValueTooLong => write!(f, "{place} is longer than {} bytes", max_of(*place)),
            UriFault::NotAKey => {
                write!(
                    f,
                    "{place} names no private key: write type=private or leave it out"
                )
            }
        }
    }
}

impl std::error::Error for UriError {}

fn number_rule(place: UriPlace) -> String {
    match place {
        UriPlace::Attribute(Attribute::MaxSessions) => {
            format!("a decimal number from 1 to {MAX_SESSIONS}")
        }
        UriPlace::Attribute(Attribute::LibraryVersion) => {
            "a version such as 2 or 2.40, each part at most 255 (RFC 7512 section 2.3)".into()
        }
        _ => "a decimal number (RFC 7512 section 2.3)".into(),
    }
}

fn max_of(place: UriPlace) -> usize {
    match place {
        UriPlace::Attribute(Attribute::Id) => MAX_ID,
        UriPlace::Attribute(Attribute::PinValue) => MAX_PIN,
        _ => MAX_URI,
    }
}
