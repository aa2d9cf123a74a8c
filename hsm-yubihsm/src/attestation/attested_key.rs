//! What an attestation says.

use std::fmt;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Tag};
use x509_cert::Certificate;

/// Yubico's extensions (1.3.6.1.4.1.41482.4); the last number says which.
const YUBIHSM: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.4");

/// The bit of the origin of what the device generated itself.
const GENERATED: u64 = 0x01;

/// The bit of the capability `exportable-under-wrap`.
const EXPORTABLE_UNDER_WRAP: u64 = 1 << 0x10;

/// What the device says of a key. Who signed it is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttestedKey {
    /// The device's serial number.
    pub serial: u64,
    /// Major, minor and patch number of its firmware.
    pub firmware: [u8; 3],
    /// The key's id.
    pub id: u64,
    /// Its label.
    pub label: String,
    /// Where it comes from: 0x01 generated, 0x02 imported, 0x10 imported under wrap.
    pub origin: u64,
    /// Its domains: bit 0 is domain 1.
    pub domains: u64,
    /// Its capabilities, as Yubico numbers them.
    pub capabilities: u64,
}

impl AttestedKey {
    /// Reads them out of the certificate; `None` if it does not have them all.
    pub(super) fn read(certificate: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let extensions = certificate.tbs_certificate().extensions()?;
        let content = |number, tag| {
            let id = YUBIHSM.push_arc(number).ok()?;
            let mut its = extensions.iter().filter(|it| it.extn_id == id);
            let (found, None) = (its.next()?, its.next()) else {
                return None;
            };
            let value = AnyRef::from_der(found.extn_value.as_bytes()).ok()?;
            (value.header().tag() == tag).then(|| value.value().to_vec())
        };
        let integer = |number| unsigned(&content(number, Tag::Integer)?);
        // The first byte counts bits that are not used.
        let bits = |number| unsigned(content(number, Tag::BitString)?.strip_prefix(&[0])?);
        Some(Self {
            firmware: content(1, Tag::OctetString)?.try_into().ok()?,
            serial: integer(2)?,
            origin: bits(3)?,
            domains: bits(4)?,
            capabilities: bits(5)?,
            id: integer(6)?,
            label: String::from_utf8(content(9, Tag::Utf8String)?).ok()?,
        })
    }

    /// Whether the key was generated on the device and can never leave it.
    pub const fn is_bound_to_device(&self) -> bool {
        self.origin == GENERATED && !self.is_exportable()
    }

    const fn is_exportable(&self) -> bool {
        self.capabilities & EXPORTABLE_UNDER_WRAP != 0
    }
}

/// Big-endian.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    let start = bytes.iter().position(|byte| *byte != 0);
    let bytes = bytes.get(start.unwrap_or(bytes.len())..)?;
    let mut number = [0; 8];
    let start = number.len().checked_sub(bytes.len())?;
    number.get_mut(start..)?.copy_from_slice(bytes);
    Some(u64::from_be_bytes(number))
}

impl fmt::Display for AttestedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            serial,
            firmware: [major, minor, patch],
            id,
            label,
            ..
        } = self;
        let origin = if self.origin == GENERATED {
            "generated there"
        } else {
            "not generated there"
        };
        let export = if self.is_exportable() {
            "exportable under wrap"
        } else {
            "not exportable"
        };
        let domains = (1..=16).filter(|number| self.domains >> (number - 1) & 1 == 1);
        let domains: Vec<String> = domains.map(|number: u64| number.to_string()).collect();
        write!(
            f,
            "key {id} {label:?} on YubiHSM {serial}, firmware {major}.{minor}.{patch}: {origin}, {export}, domains {}, \
             capabilities {:#x}",
            domains.join(" "),
            self.capabilities
        )
    }
}
