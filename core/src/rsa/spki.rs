//! A public key as SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7, RFC 8017 appendix A.1).

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader};
use sha2::{Digest as _, Sha256};

use super::key::{KeyError, RsaPublicKey, without_leading_zeros};
use crate::encoding::sink::{Sink, into_ok};
use crate::encoding::tlv::{BIT_STRING, Der, Element, INTEGER, SEQUENCE};

/// rsaEncryption (RFC 8017 appendix A.1).
const RSA_ENCRYPTION_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// AlgorithmIdentifier of rsaEncryption: the OID and NULL.
const RSA_ENCRYPTION: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

impl RsaPublicKey {
    /// From a SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError`], [`KeyError::NotRsa`] for other keys and what is no DER.
    pub fn from_spki(spki: &[u8]) -> Result<Self, KeyError> {
        let (modulus, exponent) = rsa_numbers(spki).ok_or(KeyError::NotRsa)?;
        Self::from_components(modulus, exponent)
    }
}

/// Writes `key` as a SubjectPublicKeyInfo.
///
/// # Errors
/// Whatever `sink` fails with.
pub fn write_spki<S: Sink>(key: &RsaPublicKey, sink: &mut S) -> Result<(), S::Error> {
    let exponent = key.exponent().to_be_bytes();
    let numbers = (Unsigned(key.modulus()), Unsigned(&exponent));
    let no_unused_bits: &[u8] = &[0];
    let bits = Element(BIT_STRING, (no_unused_bits, Element(SEQUENCE, numbers)));
    Element(SEQUENCE, (RSA_ENCRYPTION, bits)).write(sink)
}

impl Der for &RsaPublicKey {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        write_spki(self, sink)
    }
}

/// SHA-256 of the SubjectPublicKeyInfo.
pub fn spki_digest(key: &RsaPublicKey) -> [u8; 32] {
    let mut hash = Sha256::new();
    into_ok(write_spki(key, &mut hash));
    hash.finalize().into()
}

/// A positive INTEGER, written without superfluous zeros, and with the zero before a set top bit.
struct Unsigned<'a>(&'a [u8]);

impl Der for Unsigned<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let digits = without_leading_zeros(self.0);
        let is_top_bit_set = digits.first().is_none_or(|first| first & 0x80 != 0);
        let sign: &[u8] = if is_top_bit_set { &[0] } else { &[] };
        Element(INTEGER, (sign, digits)).write(sink)
    }
}

/// Modulus and exponent of an RSA key's SubjectPublicKeyInfo; `None` where it is not one.
fn rsa_numbers(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(spki).ok()?;
    let (kind, key) = reader
        .sequence(|spki| Ok::<_, der::Error>((AnyRef::decode(spki)?, BitStringRef::decode(spki)?)))
        .ok()?;
    if algorithm_oid(kind)? != RSA_ENCRYPTION_OID {
        return None;
    }
    let mut reader = SliceReader::new(key.as_bytes()?).ok()?;
    reader
        .sequence(|numbers| {
            let modulus = UintRef::decode(numbers)?.as_bytes();
            Ok::<_, der::Error>((modulus, UintRef::decode(numbers)?.as_bytes()))
        })
        .ok()
}

/// The identifier of an AlgorithmIdentifier.
pub(crate) fn algorithm_oid(identifier: AnyRef<'_>) -> Option<ObjectIdentifier> {
    let mut content = SliceReader::new(identifier.value()).ok()?;
    ObjectIdentifier::decode(&mut content).ok()
}
