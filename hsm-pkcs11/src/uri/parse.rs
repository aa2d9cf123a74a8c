//! Text to URI, one attribute after the other.

use zeroize::Zeroizing;

use super::attribute::Attribute;
use super::error::{UriError, UriFault, UriPlace};
use super::{ObjectType, Pkcs11Uri, percent};
use crate::limits::{MAX_ID, MAX_PIN, MAX_SESSIONS, MAX_URI};
use crate::pin::Pin;

/// The scheme's name is case-insensitive (RFC 3986 section 3.1), all else is not.
const SCHEME: &str = "pkcs11:";

pub(super) fn parse(text: &str) -> Result<Pkcs11Uri, UriError> {
    if text.len() > MAX_URI {
        return Err(UriError::uri(UriFault::TooLong));
    }
    let rest = match (text.get(..SCHEME.len()), text.get(SCHEME.len()..)) {
        (Some(scheme), Some(rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
        _ => return Err(UriError::uri(UriFault::Scheme)),
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, query),
        None => (rest, ""),
    };
    let mut parser = Parser {
        uri: Pkcs11Uri::default(),
        vendor: Vec::new(),
    };
    for (index, part) in parts(path, ';') {
        parser.part(part, UriPlace::PathPart(index))?;
    }
    for (index, part) in parts(query, '&') {
        parser.part(part, UriPlace::QueryPart(index))?;
    }
    Ok(parser.uri)
}

/// The attributes, counted from 1. An empty component has none.
fn parts(component: &str, separator: char) -> impl Iterator<Item = (usize, &str)> {
    let some = (!component.is_empty()).then_some(component);
    (1..).zip(
        some.into_iter()
            .flat_map(move |component| component.split(separator)),
    )
}

struct Parser<'t> {
    uri: Pkcs11Uri,
    /// Names of vendor attributes in the path. In the query a vendor may repeat its own (section 2.4).
    vendor: Vec<&'t str>,
}

impl<'t> Parser<'t> {
    fn part(&mut self, part: &'t str, place: UriPlace) -> Result<(), UriError> {
        let in_query = matches!(place, UriPlace::QueryPart(_));
        let fail = |fault| Err(UriError { place, fault });
        let Some((name, value)) = part.split_once('=') else {
            return fail(UriFault::NoEquals);
        };
        if name.is_empty() || !name.bytes().all(is_name_char) {
            return fail(UriFault::Name);
        }
        let allowed = if in_query {
            percent::is_query_char
        } else {
            percent::is_path_char
        };
        let Some(attribute) = Attribute::from_name(name) else {
            if !in_query && self.vendor.contains(&name) {
                return fail(UriFault::Duplicate);
            }
            self.vendor.push(name);
            return percent::decode(value, allowed).map(drop).or_else(fail);
        };
        if in_query && !attribute.is_of_query() {
            return Err(UriError::attribute(attribute, UriFault::NotOfQuery));
        }
        percent::decode(value, allowed)
            .and_then(|bytes| self.set(attribute, &bytes))
            .map_err(|fault| UriError::attribute(attribute, fault))
    }

    fn set(&mut self, attribute: Attribute, bytes: &[u8]) -> Result<(), UriFault> {
        let uri = &mut self.uri;
        match attribute {
            Attribute::Token => once(&mut uri.token, text(bytes)?),
            Attribute::Manufacturer => once(&mut uri.manufacturer, text(bytes)?),
            Attribute::Model => once(&mut uri.model, text(bytes)?),
            Attribute::Serial => once(&mut uri.serial, text(bytes)?),
            Attribute::SlotId => once(&mut uri.slot_id, number(bytes)?),
            Attribute::SlotDescription => once(&mut uri.slot_description, text(bytes)?),
            Attribute::SlotManufacturer => once(&mut uri.slot_manufacturer, text(bytes)?),
            Attribute::LibraryDescription => once(&mut uri.library_description, text(bytes)?),
            Attribute::LibraryManufacturer => once(&mut uri.library_manufacturer, text(bytes)?),
            Attribute::LibraryVersion => once(&mut uri.library_version, version(bytes)?),
            Attribute::Object => once(&mut uri.object, text(bytes)?),
            Attribute::Id if bytes.len() > MAX_ID => Err(UriFault::ValueTooLong),
            Attribute::Id => once(&mut uri.id, bytes.to_vec()),
            Attribute::Type => once(&mut uri.object_type, object_type(bytes)?),
            Attribute::ModuleName => once(&mut uri.module_name, path(bytes)?),
            Attribute::ModulePath => once(&mut uri.module_path, path(bytes)?),
            Attribute::ModuleInitArgs => once(&mut uri.module_init_args, path(bytes)?),
            Attribute::PinSource => once(&mut uri.pin_source, path(bytes)?),
            Attribute::PinValue => once(&mut uri.pin_value, pin(bytes)?),
            Attribute::MaxSessions => once(&mut uri.max_sessions, max_sessions(bytes)?),
        }
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), UriFault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(UriFault::Duplicate),
    }
}

/// `pk11-v-attr-nm-char`: what every attribute's name is made of.
const fn is_name_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// May be empty: an empty value matches an empty field (section 2.5).
fn text(bytes: &[u8]) -> Result<String, UriFault> {
    str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| UriFault::Utf8)
}

/// A file name, path or text for C: neither empty nor with a NUL byte.
fn path(bytes: &[u8]) -> Result<String, UriFault> {
    match bytes {
        [] => Err(UriFault::Empty),
        bytes if bytes.contains(&0) => Err(UriFault::Nul),
        bytes => text(bytes),
    }
}

fn pin(bytes: &[u8]) -> Result<Pin, UriFault> {
    match bytes.len() {
        0 => Err(UriFault::Empty),
        len if len > MAX_PIN => Err(UriFault::ValueTooLong),
        _ => {
            let text = Zeroizing::new(text(bytes)?);
            Pin::new(&text).map_err(|_| UriFault::Nul)
        }
    }
}

/// Only digits: the parser of the standard library would let a `+` pass.
fn number<T: std::str::FromStr>(bytes: &[u8]) -> Result<T, UriFault> {
    let digits = str::from_utf8(bytes).map_err(|_| UriFault::Number)?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(UriFault::Number);
    }
    digits.parse().map_err(|_| UriFault::Number)
}

fn max_sessions(bytes: &[u8]) -> Result<u32, UriFault> {
    number(bytes).and_then(|number| match number {
        1..=MAX_SESSIONS => Ok(number),
        _ => Err(UriFault::Number),
    })
}

/// `1*DIGIT [ "." 1*DIGIT ]`; a missing minor version is 0 (section 2.3).
fn version(bytes: &[u8]) -> Result<(u8, u8), UriFault> {
    match bytes.iter().position(|&byte| byte == b'.') {
        Some(dot) => Ok((number(&bytes[..dot])?, number(&bytes[dot + 1..])?)),
        None => Ok((number(bytes)?, 0)),
    }
}

fn object_type(bytes: &[u8]) -> Result<ObjectType, UriFault> {
    [
        ObjectType::Private,
        ObjectType::Public,
        ObjectType::Certificate,
        ObjectType::SecretKey,
        ObjectType::Data,
    ]
    .into_iter()
    .find(|kind| kind.as_str().as_bytes() == bytes)
    .ok_or(UriFault::Type)
}
