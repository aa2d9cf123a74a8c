//! The extensions that decide whether a key may sign assertions or certificates.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Reader, SliceReader, Tag, Tagged};

use heapless::Vec;

use super::error::CertificateError;
use super::oid;
use crate::limits::MAX_EXTENSIONS;

named! {
    /// One bit of the key usage extension (RFC 5280 section 4.2.1.3).
    #[allow(clippy::exhaustive_enums, reason = "RFC 5280 has these nine bits")]
    pub enum KeyUsage {
        /// digitalSignature.
        DigitalSignature = "digitalSignature",
        /// nonRepudiation, which newer texts call contentCommitment: the mark of an eSeal.
        NonRepudiation = "nonRepudiation",
        /// keyEncipherment.
        KeyEncipherment = "keyEncipherment",
        /// dataEncipherment.
        DataEncipherment = "dataEncipherment",
        /// keyAgreement.
        KeyAgreement = "keyAgreement",
        /// keyCertSign.
        KeyCertSign = "keyCertSign",
        /// cRLSign.
        CrlSign = "cRLSign",
        /// encipherOnly.
        EncipherOnly = "encipherOnly",
        /// decipherOnly.
        DecipherOnly = "decipherOnly",
    }
}

impl KeyUsage {
    /// Values are declared in the order of the bits.
    #[allow(
        clippy::as_conversions,
        clippy::arithmetic_side_effects,
        reason = "one of nine bits"
    )]
    const fn mask(self) -> u16 {
        1 << self as u16
    }
}

/// The key usages of a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyUsages(u16);

impl FromIterator<KeyUsage> for KeyUsages {
    fn from_iter<I: IntoIterator<Item = KeyUsage>>(usages: I) -> Self {
        Self(usages.into_iter().fold(0, |sum, usage| sum | usage.mask()))
    }
}

impl KeyUsages {
    /// Reads the value of the extension, DER.
    ///
    /// # Errors
    /// [`CertificateError`] if it is no BIT STRING.
    pub fn from_der(value: &[u8]) -> Result<Self, CertificateError> {
        let bits = BitStringRef::from_der(value)?;
        let set = bits.bits().zip(KeyUsage::ALL).filter(|(bit, _)| *bit);
        Ok(set.map(|(_, usage)| usage).collect())
    }

    /// Whether the certificate has this usage.
    pub const fn has(self, usage: KeyUsage) -> bool {
        self.0 & usage.mask() != 0
    }

    /// Those that the certificate has.
    pub fn iter(self) -> impl Iterator<Item = KeyUsage> {
        KeyUsage::ALL
            .into_iter()
            .filter(move |&usage| self.has(usage))
    }
}

/// Basic constraints (RFC 5280 section 4.2.1.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BasicConstraints {
    /// Whether the certificate is a CA's.
    pub ca: bool,
    /// How many CAs may stand between this one and the leaf; no limit where there is none.
    pub path_len: Option<u8>,
}

impl BasicConstraints {
    /// Reads the value of the extension, DER.
    ///
    /// # Errors
    /// [`CertificateError`] if it is malformed.
    pub fn from_der(value: &[u8]) -> Result<Self, CertificateError> {
        let mut reader = SliceReader::new(value)?;
        let constraints = reader.sequence(|content| {
            let ca = !content.is_finished()
                && Tag::peek(content)? == Tag::Boolean
                && bool::decode(content)?;
            let path_len = if content.is_finished() {
                None
            } else {
                // A limit above 255 is no limit for a chain of MAX_CERTIFICATES.
                let number = AnyRef::decode(content)?;
                number.tag().assert_eq(Tag::Integer)?;
                u8::try_from(number.decode_as::<u32>()?).ok()
            };
            Ok::<_, der::Error>(Self { ca, path_len })
        })?;
        reader.finish()?;
        Ok(constraints)
    }
}

/// What the extensions of a certificate say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions<'a> {
    /// Absent means: every usage.
    pub key_usage: Option<KeyUsages>,
    /// Absent means: no CA.
    pub basic_constraints: Option<BasicConstraints>,
    /// The DER of the ExtKeyUsageSyntax.
    pub extended_key_usage: Option<&'a [u8]>,
    /// There is a critical extension that is not known.
    pub unknown_critical: bool,
    /// There are nameConstraints or policyConstraints.
    pub unprocessed_constraints: bool,
}

impl<'a> Extensions<'a> {
    /// Reads the content of `[3] EXPLICIT Extensions`.
    pub(super) fn read(explicit: &'a [u8]) -> Result<Self, CertificateError> {
        let mut read = Self::default();
        let mut is_empty = true;
        each_extension(explicit, |kind, critical, value| {
            is_empty = false;
            read.read_one(kind, critical, value)
        })?;
        if is_empty {
            return Err(CertificateError::Malformed { offset: None });
        }
        Ok(read)
    }

    fn read_one(
        &mut self,
        kind: ObjectIdentifier,
        critical: bool,
        value: &'a [u8],
    ) -> Result<(), CertificateError> {
        match kind {
            oid::KEY_USAGE => self.key_usage = Some(KeyUsages::from_der(value)?),
            oid::BASIC_CONSTRAINTS => {
                self.basic_constraints = Some(BasicConstraints::from_der(value)?);
            }
            oid::EXTENDED_KEY_USAGE => {
                self.extended_key_usage = Some(value);
                check_purposes(value)?;
            }
            // No scheme requires a policy, and without constraints other names than the subject's do not matter.
            oid::CERTIFICATE_POLICIES
            | oid::POLICY_MAPPINGS
            | oid::INHIBIT_ANY_POLICY
            | oid::SUBJECT_ALT_NAME
            | oid::ISSUER_ALT_NAME => {}
            oid::NAME_CONSTRAINTS | oid::POLICY_CONSTRAINTS => self.unprocessed_constraints = true,
            _ => self.unknown_critical |= critical,
        }
        Ok(())
    }
}

/// SEQUENCE SIZE (1..MAX) OF OBJECT IDENTIFIER (RFC 5280 section 4.2.1.12).
fn check_purposes(value: &[u8]) -> Result<(), der::Error> {
    let mut reader = SliceReader::new(value)?;
    reader.sequence(|purposes| {
        loop {
            let _: ObjectIdentifier = Decode::decode(purposes)?;
            if purposes.is_finished() {
                return Ok::<_, der::Error>(());
            }
        }
    })?;
    reader.finish()
}

/// The purposes of an ExtKeyUsageSyntax.
pub(super) fn purposes(der: Option<&[u8]>) -> impl Iterator<Item = ObjectIdentifier> + '_ {
    let mut rest = der
        .and_then(|der| AnyRef::from_der(der).ok())
        .and_then(|list| SliceReader::new(list.value()).ok());
    core::iter::from_fn(move || {
        let reader = rest.as_mut()?;
        if reader.is_finished() {
            None
        } else {
            ObjectIdentifier::decode(reader).ok()
        }
    })
}

/// Calls `found` with each of a list of extensions: what it is, whether it is critical, and its value. The same one twice
/// is an error (RFC 5280 section 4.2), as are more than 32.
///
/// # Errors
/// [`CertificateError`] as the caller has it, or what `found` fails with.
pub fn each_extension<'a, E: From<CertificateError>>(
    list: &'a [u8],
    mut found: impl FnMut(ObjectIdentifier, bool, &'a [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut seen = Vec::<_, MAX_EXTENSIONS>::new();
    let mut list = content(list)?;
    while !list.is_finished() {
        let (kind, critical, value) = list.sequence(extension).map_err(CertificateError::from)?;
        if seen.contains(&kind.value()) {
            return Err(CertificateError::DuplicateExtension.into());
        }
        seen.push(kind.value())
            .map_err(|_| CertificateError::Extensions)?;
        found(
            kind.decode_as().map_err(CertificateError::from)?,
            critical,
            value,
        )?;
    }
    Ok(())
}

fn extension<'a, R: Reader<'a>>(
    reader: &mut R,
) -> Result<(AnyRef<'a>, bool, &'a [u8]), der::Error> {
    let kind = AnyRef::decode(reader)?;
    let critical = Tag::peek(reader)? == Tag::Boolean && bool::decode(reader)?;
    Ok((
        kind,
        critical,
        <&OctetStringRef>::decode(reader)?.as_bytes(),
    ))
}

/// What stands in a SEQUENCE, behind which there is nothing.
fn content(sequence: &[u8]) -> Result<SliceReader<'_>, CertificateError> {
    let mut reader = SliceReader::new(sequence)?;
    let any = AnyRef::decode(&mut reader)?;
    reader.finish()?;
    any.tag().assert_eq(Tag::Sequence)?;
    Ok(SliceReader::new(any.value())?)
}
