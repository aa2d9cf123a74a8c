//! The certificates in the header.

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use heapless::Vec;

use crate::json::{Array, Value};
use crate::scratch::Scratch;
use crate::verdict::Violation;
use privyseal_core::cert::{Certificate, ChainError};
use privyseal_core::field::Fault;
use privyseal_core::limits::{MAX_CERTIFICATES, MAX_CHAIN_DER};

/// What `x5c` holds, as far as it can be read.
pub(crate) struct X5c<'t> {
    pub(crate) is_present: bool,
    /// Whether it is an array of strings.
    pub(crate) form: Result<(), Violation>,
    /// Whether each string is base64 as RFC 7515 section 4.1.6 wants it.
    pub(crate) encoding: Result<(), Violation>,
    /// The certificates in the order given, or why there are none.
    pub(crate) certificates: Result<Vec<Certificate<'t>, MAX_CERTIFICATES>, Violation>,
}

impl<'t> X5c<'t> {
    pub(super) fn read(value: Option<Value<'t>>, scratch: &mut Scratch<'t>) -> Self {
        let is_present = value.is_some();
        let array = match value {
            None => Err(Fault::Missing.into()),
            Some(Value::Array(array)) => strings(&array).map(|()| array),
            Some(other) => Err(Violation::kind(other.kind(), "an array of strings")),
        };
        let form = array.as_ref().map(|_| ()).map_err(|&why| why);
        let mut encoding = form;
        let read = |array| certificates(&array, &mut encoding, scratch);
        let certificates = array.and_then(read);
        Self {
            is_present,
            form,
            encoding,
            certificates,
        }
    }
}

fn strings(array: &Array<'_>) -> Result<(), Violation> {
    if array.items().next().is_none() {
        return Err(Fault::Empty.into());
    }
    match array.items().find(|item| !matches!(item, Value::String(_))) {
        Some(other) => Err(Violation::kind(other.kind(), "a string, inside the array")),
        None => Ok(()),
    }
}

fn certificates<'t>(
    array: &Array<'t>,
    encoding: &mut Result<(), Violation>,
    scratch: &mut Scratch<'t>,
) -> Result<Vec<Certificate<'t>, MAX_CERTIFICATES>, Violation> {
    let mut certificates = Vec::new();
    let mut len: usize = 0;
    for (position, item) in array.items().enumerate() {
        let Value::String(text) = item else { continue };
        let Some(text) = scratch.text(&text) else {
            continue;
        };
        let der = match decode(text, scratch) {
            Ok((der, clean)) => {
                if encoding.is_ok() {
                    *encoding = clean;
                }
                der
            }
            Err(why) => {
                *encoding = Err(why);
                return Err(why);
            }
        };
        len = len.saturating_add(der.len());
        let certificate = Certificate::from_der(der)
            .map_err(|error| ChainError::Certificate { position, error })?;
        certificates
            .push(certificate)
            .map_err(|_| ChainError::TooMany {
                count: array.items().count(),
            })?;
    }
    if len > MAX_CHAIN_DER {
        return Err(ChainError::TooLong { len }.into());
    }
    Ok(certificates)
}

/// Decodes what can be understood, and says whether it was as it should be.
fn decode<'t>(
    text: &str,
    scratch: &mut Scratch<'t>,
) -> Result<(&'t [u8], Result<(), Violation>), Violation> {
    const NOT_BASE64: Violation = Violation::Text("has a string that is not base64");
    let place = scratch.take(text.len()).ok_or(NOT_BASE64)?;
    if let Ok(len) = Base64::decode(text, place).map(<[u8]>::len) {
        let place: &[u8] = place;
        return Ok((place.get(..len).ok_or(NOT_BASE64)?, Ok(())));
    }
    let mut clean = Ok(());
    let mut end: usize = 0;
    for byte in text.bytes() {
        let (byte, fault) = match byte {
            b'\n' | b'\r' | b' ' | b'\t' => (None, Some("has base64 with line breaks or spaces")),
            b'-' => (Some(b'+'), Some(URL_ALPHABET)),
            b'_' => (Some(b'/'), Some(URL_ALPHABET)),
            b'=' => (None, None),
            byte => (Some(byte), None),
        };
        if let Some(fault) = fault {
            clean = clean.and(Err(Violation::Text(fault)));
        }
        if let Some(byte) = byte {
            *place.get_mut(end).ok_or(NOT_BASE64)? = byte;
            end = end.saturating_add(1);
        }
    }
    // What is wrong but needs no repair stopped the strict reader all the same.
    let clean = clean.and_then(|()| {
        Err(Violation::Text(if is_padded(text) {
            STRAY
        } else {
            UNPADDED
        }))
    });
    let place = place.get_mut(..end).ok_or(NOT_BASE64)?;
    match Base64Unpadded::decode_in_place(place) {
        Ok(der) => Ok((der, clean)),
        Err(_) => Err(NOT_BASE64),
    }
}

const URL_ALPHABET: &str = "has base64url, where standard base64 belongs (RFC 7515 section 4.1.6)";
const UNPADDED: &str = "has base64 without the padding of RFC 4648 section 4";
const STRAY: &str = "has base64 whose last digit has bits of no byte (RFC 4648 section 3.5)";

/// Whole groups of four, padding at the end only and no more than two.
fn is_padded(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len().saturating_sub(body.len()) <= 2
        && !body.contains('=')
}
