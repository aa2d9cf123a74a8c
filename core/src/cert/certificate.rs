//! One certificate.

use der::asn1::{AnyRef, BitStringRef, IntRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader};

use super::error::CertificateError;
use super::extensions::{BasicConstraints, Extensions, KeyUsages, purposes};
use super::name::Name;
use crate::asn1::{context, moment};
use crate::rsa::spki::algorithm_oid;
use crate::rsa::{KeyError, RsaPublicKey};
use crate::time::UnixTime;

/// A certificate, borrowed from its DER. Reading it proves nothing yet: [`super::Chain::prove`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    der: &'a [u8],
    tbs: &'a [u8],
    signature_algorithm: AnyRef<'a>,
    signature: &'a [u8],
    content: Content<'a>,
}

/// What stands inside the signed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Content<'a> {
    inner_algorithm: AnyRef<'a>,
    serial: &'a [u8],
    issuer: Name<'a>,
    subject: Name<'a>,
    not_before: UnixTime,
    not_after: UnixTime,
    spki: &'a [u8],
    extensions: Extensions<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads one DER certificate; bytes after it are an error.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_der(der: &'a [u8]) -> Result<Self, CertificateError> {
        let mut reader = SliceReader::new(der)?;
        let certificate = reader.sequence(|outer| {
            let tbs = outer.tlv_bytes()?;
            let signature_algorithm = AnyRef::decode(outer)?;
            let signature = BitStringRef::decode(outer)?;
            let content = Content::read(tbs)?;
            if content.inner_algorithm != signature_algorithm {
                return Err(CertificateError::AlgorithmMismatch);
            }
            let signature = signature
                .as_bytes()
                .ok_or(CertificateError::Malformed { offset: None })?;
            Ok(Self {
                der,
                tbs,
                signature_algorithm,
                signature,
                content,
            })
        })?;
        reader.finish()?;
        Ok(certificate)
    }

    /// The whole certificate.
    pub const fn as_der(&self) -> &'a [u8] {
        self.der
    }

    /// The signed part (tbsCertificate), DER.
    pub const fn tbs(&self) -> &'a [u8] {
        self.tbs
    }

    /// The signature's bytes.
    pub const fn signature(&self) -> &'a [u8] {
        self.signature
    }

    /// The algorithm of the signature; `None` where its identifier is malformed.
    pub fn signature_algorithm(&self) -> Option<ObjectIdentifier> {
        algorithm_oid(self.signature_algorithm)
    }

    /// The serial number's bytes, big-endian, as they stand.
    pub const fn serial(&self) -> &'a [u8] {
        self.content.serial
    }

    /// Who issued it.
    pub const fn issuer(&self) -> Name<'a> {
        self.content.issuer
    }

    /// Its subject.
    pub const fn subject(&self) -> Name<'a> {
        self.content.subject
    }

    /// The first second of its validity.
    pub const fn not_before(&self) -> UnixTime {
        self.content.not_before
    }

    /// The last second of its validity.
    pub const fn not_after(&self) -> UnixTime {
        self.content.not_after
    }

    /// The SubjectPublicKeyInfo, DER.
    pub const fn spki(&self) -> &'a [u8] {
        self.content.spki
    }

    /// The key usages; `None` where the extension is absent, which allows every usage.
    pub const fn key_usages(&self) -> Option<KeyUsages> {
        self.content.extensions.key_usage
    }

    /// Basic constraints; absent means no CA.
    pub const fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.content.extensions.basic_constraints
    }

    /// Whether it is a CA's.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints()
            .is_some_and(|constraints| constraints.ca)
    }

    /// The purposes of the extended key usage extension, if there is one.
    pub fn extended_key_usages(&self) -> impl Iterator<Item = ObjectIdentifier> + use<'a> {
        purposes(self.content.extensions.extended_key_usage)
    }

    /// Whether it has a critical extension that this software does not know (RFC 5280 section 4.2:
    /// such a certificate must be refused).
    pub const fn has_unknown_critical_extension(&self) -> bool {
        self.content.extensions.unknown_critical
    }

    /// Whether it has an extension that needs more than is done here: nameConstraints or policyConstraints,
    /// critical or not.
    pub const fn has_unprocessed_constraints(&self) -> bool {
        self.content.extensions.unprocessed_constraints
    }

    /// Whether issuer and subject are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.issuer() == self.subject()
    }

    /// Its key, if it is RSA of a supported size.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn rsa_key(&self) -> Result<RsaPublicKey, KeyError> {
        RsaPublicKey::from_spki(self.content.spki)
    }
}

impl<'a> Content<'a> {
    fn read(tbs: &'a [u8]) -> Result<Self, CertificateError> {
        let mut reader = SliceReader::new(tbs)?;
        let content = reader.sequence(|tbs| {
            let version = version(tbs)?;
            let serial = AnyRef::decode(tbs)?;
            serial.decode_as::<IntRef<'_>>()?;
            let inner_algorithm = AnyRef::decode(tbs)?;
            let issuer = Name::new(tbs.tlv_bytes()?);
            let (not_before, not_after) = tbs
                .sequence(|validity| Ok::<_, der::Error>((moment(validity)?, moment(validity)?)))?;
            let subject = Name::new(tbs.tlv_bytes()?);
            let spki = tbs.tlv_bytes()?;
            let mut extensions = Extensions::default();
            // [1] and [2] are unique identifiers, which nobody uses (RFC 5280 section 4.1.2.8).
            for (number, first_version) in [(1, V2), (2, V2), (3, V3)] {
                let field = context(tbs, number)?;
                if field.is_some() && version < first_version {
                    return Err(CertificateError::Version);
                }
                if let (Some(field), 3) = (field, number) {
                    extensions = Extensions::read(field)?;
                }
            }
            Ok::<_, CertificateError>(Self {
                inner_algorithm,
                serial: serial.value(),
                issuer,
                subject,
                not_before,
                not_after,
                spki,
                extensions,
            })
        })?;
        reader.finish()?;
        Ok(content)
    }
}

const V2: u8 = 1;
const V3: u8 = 2;

/// `[0] EXPLICIT version`: v1 is not written, as it is the default (X.690 section 11.5).
fn version<'a, R: Reader<'a>>(tbs: &mut R) -> Result<u8, CertificateError> {
    match context(tbs, 0)?.map(u8::from_der).transpose()? {
        None => Ok(0),
        Some(version @ (V2 | V3)) => Ok(version),
        Some(_) => Err(CertificateError::Version),
    }
}
