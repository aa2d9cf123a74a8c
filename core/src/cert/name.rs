//! Distinguished names (RFC 5280 section 4.1.2.4), compared as bytes.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tag, Tagged};

use super::oid;

/// A distinguished name: the DER of its RDNSequence. Two names are equal when their DER is, as in every
/// chain that CAs issue; the folding rules of RFC 5280 section 7.1 are not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    pub(super) const fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    /// The DER of the name.
    pub const fn as_der(self) -> &'a [u8] {
        self.0
    }

    /// commonName, if the name has it in a form that is UTF-8 (UTF8String, PrintableString, ..).
    pub fn common_name(self) -> Option<&'a str> {
        self.attribute(oid::COMMON_NAME)
    }

    /// serialNumber (the attribute of a subject, not the certificate's own).
    pub fn serial_number(self) -> Option<&'a str> {
        self.attribute(oid::SERIAL_NUMBER)
    }

    /// organizationIdentifier: `NTRNL-10000001` (ETSI EN 319 412-1 section 5.1.4).
    pub fn organization_identifier(self) -> Option<&'a str> {
        self.attribute(oid::ORGANIZATION_IDENTIFIER)
    }

    /// The first attribute of this type, if it is text.
    fn attribute(self, wanted: ObjectIdentifier) -> Option<&'a str> {
        let mut reader = SliceReader::new(self.0).ok()?;
        let found: Result<Option<&'a str>, der::Error> = reader.sequence(|names| {
            while !names.is_finished() {
                let set = AnyRef::decode(names)?;
                if let Some(text) = attribute_in(set.value(), wanted)? {
                    // What follows need not be read any more.
                    names.drain(names.remaining_len())?;
                    return Ok(Some(text));
                }
            }
            Ok(None)
        });
        found.ok().flatten()
    }
}

/// Looks through one RelativeDistinguishedName: a set of type and value.
fn attribute_in(set: &[u8], wanted: ObjectIdentifier) -> Result<Option<&str>, der::Error> {
    let mut reader = SliceReader::new(set)?;
    while !reader.is_finished() {
        let found = reader.sequence(|pair| {
            let kind = ObjectIdentifier::decode(pair)?;
            let value = AnyRef::decode(pair)?;
            Ok::<_, der::Error>(if kind == wanted { text(value) } else { None })
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn text(value: AnyRef<'_>) -> Option<&str> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            core::str::from_utf8(value.value()).ok()
        }
        _ => None,
    }
}
