//! Key URIs: one grammar for every backend.
//!
//! `scheme:name=value;name=value?name=value&name=value`, as RFC 7512 section 2.3 writes `pkcs11:`: the path
//! says which key, the query how to reach it. A backend has a table of attributes, made with
//! [`key_uri!`](crate::key_uri), and reads each value with a function of [`value`].
//!
//! An attribute that is not in the table is refused by name: a misspelt one must not change which key is
//! used. Attributes of vendors (`x-..`, and `vendor-..` as in the RFC's examples) are ignored. A secret that
//! stands in a URI is never printed again, and no error repeats a value.

mod error;
mod percent;
mod table;
pub mod value;
mod writer;

#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

pub use error::{Component, UriError, UriFault, UriPlace};
pub use writer::UriWriter;

/// The attribute that holds a secret in clear.
const SECRET: &str = "pin-value";

/// The attributes of one scheme.
#[derive(Debug)]
pub struct Grammar {
    scheme: &'static str,
    max_len: usize,
    path: PathForm,
    attributes: &'static [Attribute],
}

/// An attribute: its name, and where it may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    name: &'static str,
    place: Place,
}

/// Where an attribute may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In the path.
    Path,
    /// In the path, without a value.
    Flag,
    /// In the query.
    Query,
    /// In the query, where it is written, or in the path, as `step kms` writes it.
    Anywhere,
}

/// What the path of a scheme holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathForm {
    /// Attributes.
    Attributes,
    /// Something else, which is taken as it stands up to the first `?`.
    Opaque,
}

/// What stands in a URI, decoded.
pub struct Given<'t> {
    grammar: &'static Grammar,
    path: &'t str,
    values: Vec<(Attribute, Zeroizing<Vec<u8>>)>,
}

privyseal_core::opaque_debug! { [] Given<'_>; }

impl Attribute {
    /// With a name, which is case-sensitive (RFC 7512 section 2.3), and its place.
    pub const fn new(name: &'static str, place: Place) -> Self {
        Self { name, place }
    }

    /// The name, as it is written.
    pub const fn name(self) -> &'static str {
        self.name
    }

    const fn is_of_query(self) -> bool {
        matches!(self.place, Place::Query | Place::Anywhere)
    }
}

impl Grammar {
    /// A scheme with these attributes. No URI of it is longer than `max_len` bytes.
    pub const fn new(
        scheme: &'static str,
        max_len: usize,
        path: PathForm,
        attributes: &'static [Attribute],
    ) -> Self {
        Self {
            scheme,
            max_len,
            path,
            attributes,
        }
    }

    /// Splits and decodes `text`.
    ///
    /// # Errors
    /// `text` is no URI of this scheme, or has an attribute that is unknown, out of place, there twice,
    /// without a value or not encoded as it must be.
    pub fn parse<'t>(&'static self, text: &'t str) -> Result<Given<'t>, UriError> {
        let whole = |fault| self.error(UriPlace::Uri, fault);
        if text.len() > self.max_len {
            return Err(whole(UriFault::TooLong { max: self.max_len }));
        }
        // The scheme's name is case-insensitive (RFC 3986 section 3.1), all else is not.
        let rest = match text.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(self.scheme) => rest,
            _ => return Err(whole(UriFault::Scheme(self.scheme))),
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parser = Parser {
            vendor: Vec::new(),
            given: Given {
                grammar: self,
                path,
                values: Vec::new(),
            },
        };
        if self.path == PathForm::Attributes {
            parser.component(path, ';', Component::Path)?;
        }
        parser.component(query, '&', Component::Query)?;
        Ok(parser.given)
    }

    /// That `attribute` is not as it must be.
    pub const fn refuse(&self, attribute: Attribute, fault: UriFault) -> UriError {
        self.error(UriPlace::Attribute(attribute.name), fault)
    }

    /// That the URI as a whole is not as it must be.
    pub const fn refuse_uri(&self, fault: UriFault) -> UriError {
        self.error(UriPlace::Uri, fault)
    }

    const fn error(&self, place: UriPlace, fault: UriFault) -> UriError {
        let scheme = self.scheme;
        UriError {
            scheme,
            place,
            fault,
        }
    }

    /// `a, b and c`, for messages.
    fn names(&self) -> String {
        let names: Vec<&str> = self.attributes.iter().map(|it| it.name).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl<'t> Given<'t> {
    /// The path as it stands, not decoded.
    pub const fn path(&self) -> &'t str {
        self.path
    }

    /// Whether the attribute is there.
    pub fn has(&self, attribute: Attribute) -> bool {
        self.values.iter().any(|(it, _)| *it == attribute)
    }

    /// The attribute's value as `read` understands it; `None` if it is not there.
    ///
    /// # Errors
    /// `read` refuses the value; the error names the attribute.
    pub fn read<T>(
        &self,
        attribute: Attribute,
        read: impl FnOnce(&[u8]) -> Result<T, UriFault>,
    ) -> Result<Option<T>, UriError> {
        let found = self.values.iter().find(|(it, _)| *it == attribute);
        found
            .map(|(_, value)| read(value))
            .transpose()
            .map_err(|fault| self.grammar.refuse(attribute, fault))
    }
}

struct Parser<'t> {
    given: Given<'t>,
    /// Names of vendor attributes in the path. In the query a vendor may repeat its own (section 2.4).
    vendor: Vec<&'t str>,
}

impl<'t> Parser<'t> {
    fn component(
        &mut self,
        text: &'t str,
        separator: char,
        component: Component,
    ) -> Result<(), UriError> {
        // An empty component has no attributes.
        let parts = text.split(separator).filter(|_| !text.is_empty());
        for (number, part) in (1..).zip(parts) {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (part, None),
            };
            let attributes = self.given.grammar.attributes;
            let known = attributes.iter().find(|it| it.name == name);
            let taken = match known {
                Some(attribute) => self.take(*attribute, value, component),
                None => self.ignore(name, value, component),
            };
            taken.map_err(|fault| {
                let place = match (known, &fault) {
                    (Some(attribute), _) => UriPlace::Attribute(attribute.name),
                    (None, fault) => UriPlace::Part {
                        component,
                        number,
                        name: self.showable(name, fault),
                    },
                };
                self.given.grammar.error(place, fault)
            })?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        attribute: Attribute,
        value: Option<&str>,
        component: Component,
    ) -> Result<(), UriFault> {
        match (attribute.place, component) {
            (Place::Path | Place::Flag, Component::Query) => return Err(UriFault::NotOfQuery),
            (Place::Query, Component::Path) => return Err(UriFault::OfQuery),
            _ if self.given.has(attribute) => return Err(UriFault::Duplicate),
            _ => {}
        }
        let value = match (attribute.place, value) {
            (Place::Flag, None) => Zeroizing::default(),
            (Place::Flag, Some(_)) => return Err(UriFault::Value),
            (_, None) => return Err(UriFault::NoValue),
            (_, Some(value)) => percent::decode(value, component)?,
        };
        self.given.values.push((attribute, value));
        Ok(())
    }

    /// What is not in the table: a vendor's own, or a mistake.
    fn ignore(
        &mut self,
        name: &'t str,
        value: Option<&str>,
        component: Component,
    ) -> Result<(), UriFault> {
        let value = value.ok_or(UriFault::NoValue)?;
        let is_name_char = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
        if name.is_empty() || !name.bytes().all(is_name_char) {
            return Err(UriFault::Name);
        }
        if !name.starts_with("x-") && !name.starts_with("vendor-") {
            let known = self.given.grammar.names();
            return Err(UriFault::Unknown { known });
        }
        if component == Component::Path && self.vendor.contains(&name) {
            return Err(UriFault::Duplicate);
        }
        self.vendor.push(name);
        percent::decode(value, component).map(drop)
    }

    /// The name of an unknown attribute, unless it may be a piece of a secret with a bare separator in it.
    fn showable(&self, name: &str, fault: &UriFault) -> Option<String> {
        let is_name = matches!(fault, UriFault::Unknown { .. });
        let after_secret =
            self.given.values.iter().any(|(it, _)| it.name == SECRET) || !self.vendor.is_empty();
        (is_name && !after_secret).then(|| name.to_owned())
    }
}
