//! An elliptic-curve public key, read where it lies (RFC 5480 section 2).

use core::fmt;

use der::asn1::{BitStringRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    EcdsaVerificationAlgorithm,
};

use super::algorithm::EcDigest;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A curve whose signatures are verified here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Curve {
    /// P-256, secp256r1.
    P256,
    /// P-384, secp384r1.
    P384,
}

/// A key on such a curve. Whether the point is on the curve is checked when it verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcKey<'a> {
    curve: Curve,
    point: &'a [u8],
}

impl<'a> EcKey<'a> {
    /// Reads a SubjectPublicKeyInfo, DER; `None` for any other kind of key.
    pub fn from_spki(spki: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(spki).ok()?;
        let read = reader.sequence(|spki| {
            let identifiers = spki.sequence(|algorithm| {
                let kind = ObjectIdentifier::decode(algorithm)?;
                let curve = ObjectIdentifier::decode(algorithm)?;
                Ok::<_, der::Error>((kind, curve))
            })?;
            Ok::<_, der::Error>((identifiers, BitStringRef::decode(spki)?))
        });
        let ((kind, curve), point) = read.ok()?;
        let curve = match curve {
            SECP256R1 => Curve::P256,
            SECP384R1 => Curve::P384,
            _ => return None,
        };
        let point = point.as_bytes()?;
        (kind == EC_PUBLIC_KEY).then_some(Self { curve, point })
    }

    /// Its curve.
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// Its point, as it stands in the certificate.
    pub const fn point(&self) -> &'a [u8] {
        self.point
    }
}

impl Curve {
    pub(super) fn ecdsa_with(self, digest: EcDigest) -> &'static EcdsaVerificationAlgorithm {
        match (self, digest) {
            (Self::P256, EcDigest::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (Self::P256, EcDigest::Sha384) => &ECDSA_P256_SHA384_ASN1,
            (Self::P384, EcDigest::Sha256) => &ECDSA_P384_SHA256_ASN1,
            (Self::P384, EcDigest::Sha384) => &ECDSA_P384_SHA384_ASN1,
        }
    }
}

/// `P-256`, as NIST and RFC 7518 write it.
impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        })
    }
}
