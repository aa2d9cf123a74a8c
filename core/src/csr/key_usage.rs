//! The key usages that a request asks for, as an extensionRequest attribute (RFC 2985 section 5.4.2).

use crate::cert::{KeyUsage, KeyUsages};
use crate::encoding::sink::Sink;
use crate::encoding::tlv::{BIT_STRING, Der, Element, OCTET_STRING, SEQUENCE, SET};
use crate::field::{Field, FieldError};

/// extensionRequest, 1.2.840.113549.1.9.14, with its tag and length.
const EXTENSION_REQUEST: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e";
/// id-ce-keyUsage, 2.5.29.15, with its tag and length.
const KEY_USAGE: &[u8] = b"\x06\x03\x55\x1d\x0f";
/// critical: BOOLEAN TRUE (RFC 5280 section 4.2.1.3: "conforming CAs SHOULD mark this as critical").
const CRITICAL: &[u8] = b"\x01\x01\xff";

/// The attribute, or nothing where no usage is asked for.
pub(super) struct ExtensionRequest(Option<[u8; 2]>);

/// A key that signs assertions asks for what signing needs, and for nothing else.
pub(super) fn check(usages: KeyUsages) -> Result<(), FieldError> {
    let signing = [KeyUsage::DigitalSignature, KeyUsage::NonRepudiation];
    if usages.iter().all(|usage| signing.contains(&usage)) {
        return Ok(());
    }
    let expected = "digitalSignature or nonRepudiation: the key signs, and does nothing else";
    Err(Field::KeyUsage.is_not(expected, "RFC 5280 section 4.2.1.3"))
}

impl ExtensionRequest {
    pub(super) fn new(usages: KeyUsages) -> Self {
        // A BIT STRING of named bits ends with its last set bit (X.690 section 11.2.2). The two usages
        // are its first two bits: digitalSignature 0x80, nonRepudiation 0x40.
        let digital_signature = usages.has(KeyUsage::DigitalSignature);
        Self(
            match (digital_signature, usages.has(KeyUsage::NonRepudiation)) {
                (false, false) => None,
                (true, false) => Some([7, 0x80]),
                (false, true) => Some([6, 0x40]),
                (true, true) => Some([6, 0xc0]),
            },
        )
    }
}

impl Der for ExtensionRequest {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let Some(bits) = &self.0 else { return Ok(()) };
        let value = Element(OCTET_STRING, Element(BIT_STRING, &bits[..]));
        let extension = Element(SEQUENCE, (KEY_USAGE, CRITICAL, value));
        let values = Element(SET, Element(SEQUENCE, extension));
        Element(SEQUENCE, (EXTENSION_REQUEST, values)).write(sink)
    }
}
