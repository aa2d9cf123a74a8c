//! What is wrong with a URI.

use std::fmt;

use thiserror::Error;

/// A key URI was refused. Says which attribute and which rule; never a value, because any value may be a
/// secret that was put in the wrong place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error("{scheme} URI: {place} {fault}")]
pub struct UriError {
    /// The scheme that was expected, without its colon.
    pub scheme: &'static str,
    /// Where in the URI.
    pub place: UriPlace,
    /// What is wrong there.
    pub fault: UriFault,
}

/// Where in a URI something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriPlace {
    /// The URI as a whole.
    Uri,
    /// The attribute of this name.
    Attribute(&'static str),
    /// An attribute that is not known.
    Part {
        /// Where it stands.
        component: Component,
        /// Which one it is there, counted from 1.
        number: usize,
        /// Its name, where that cannot be a piece of a secret.
        name: Option<String>,
    },
}

/// A part of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Component {
    /// Before the `?`; `;` separates the attributes.
    Path,
    /// After the `?`; `&` separates the attributes.
    Query,
}

/// What is wrong with a URI or an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UriFault {
    /// It does not begin with this scheme.
    #[error("does not begin with \"{0}:\"")]
    Scheme(&'static str),
    /// The URI or the value is too long.
    #[error("is longer than {max} bytes")]
    TooLong {
        /// The most bytes it may have.
        max: usize,
    },
    /// The attribute is needed and not there.
    #[error("is missing")]
    Missing,
    /// The attribute is none of those that are known.
    #[error("is none of {known}")]
    Unknown {
        /// The names of those that are.
        known: String,
    },
    /// No `=` and a value.
    #[error(
        "has no \"=\" and no value (RFC 7512 section 2.3; \";\" separates path attributes and \"&\" \
         query attributes, inside a value they are %3B and %26)"
    )]
    NoValue,
    /// A value where none belongs.
    #[error("takes no value")]
    Value,
    /// The name has other characters than letters, digits, `-` and `_`, or is empty.
    #[error(
        "has a name with other characters than letters, digits, \"-\" and \"_\" (RFC 7512 section 2.3)"
    )]
    Name,
    /// The attribute stands in the URI more than once.
    #[error("stands there more than once (RFC 7512 section 2.3)")]
    Duplicate,
    /// An attribute of the path stands in the query.
    #[error("belongs before the \"?\", and stands after it (RFC 7512 section 2.3)")]
    NotOfQuery,
    /// An attribute of the query stands in the path.
    #[error("belongs after the \"?\", and stands before it (RFC 7512 section 2.3)")]
    OfQuery,
    /// A `%` without two hexadecimal digits after it.
    #[error(
        "has a \"%\" without two hexadecimal digits at position {position} (RFC 3986 section 2.1)"
    )]
    Percent {
        /// Which byte of the value, from 0.
        position: usize,
    },
    /// A character that must be percent-encoded.
    #[error(
        "has a character at position {position} that must be percent-encoded, as a space is %20 (RFC \
         7512 section 2.3)"
    )]
    Character {
        /// Which byte of the value, from 0.
        position: usize,
    },
    /// The decoded value is not UTF-8.
    #[error("is not UTF-8 once decoded (RFC 7512 section 2.3)")]
    Utf8,
    /// The decoded value holds a NUL byte.
    #[error("has a NUL byte")]
    Nul,
    /// The value is empty and may not be.
    #[error("is empty")]
    Empty,
    /// A rule of this attribute is broken; the text is a clause that follows its name.
    #[error("{0}")]
    Rule(&'static str),
}

impl fmt::Display for UriPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri => f.write_str("the URI"),
            Self::Attribute(name) => f.write_str(name),
            Self::Part {
                component,
                number,
                name,
            } => {
                let component = match component {
                    Component::Path => "path",
                    Component::Query => "query",
                };
                write!(f, "{component} attribute number {number}")?;
                name.iter().try_for_each(|name| write!(f, " ({name})"))
            }
        }
    }
}
