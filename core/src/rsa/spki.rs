//! A public key as SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7, RFC 8017 appendix A.1).

use der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader};
use sha2::{Digest as _, Sha256};

use super::key::{KeyError, RsaPublicKey, without_leading_zeros};
use crate::asn1::split_spki;
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
    let (kind, key) = split_spki(spki)?;
    if algorithm_oid(kind)? != RSA_ENCRYPTION_OID {
        return None;
    }
    let mut reader = SliceReader::new(key).ok()?;
    let numbers = reader
        .sequence(|numbers| {
            let modulus = UintRef::decode(numbers)?.as_bytes();
            Ok::<_, der::Error>((modulus, UintRef::decode(numbers)?.as_bytes()))
        })
        .ok()?;
    reader.finish().ok()?;
    Some(numbers)
}

/// The identifier of an AlgorithmIdentifier.
pub(crate) fn algorithm_oid(identifier: AnyRef<'_>) -> Option<ObjectIdentifier> {
    let mut content = SliceReader::new(identifier.value()).ok()?;
    ObjectIdentifier::decode(&mut content).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::SliceSink;
    use std::vec::Vec;

    /// DER of the elements, one in the other.
    fn der(value: &impl Der) -> Vec<u8> {
        let mut buffer = [0; 512];
        let mut sink = SliceSink::new(&mut buffer);
        value.write(&mut sink).unwrap();
        sink.finish().unwrap().to_vec()
    }

    #[test]
    fn a_key_is_read_whole_or_not_at_all() {
        let (modulus, exponent) = ([0xc1; 256], [1, 0, 1]);
        let numbers = || (Unsigned(&modulus), Unsigned(&exponent));
        let spki = |behind_numbers: &[u8], behind_key: &[u8], algorithm: &[u8]| {
            let no_unused_bits: &[u8] = &[0];
            let key = (no_unused_bits, Element(SEQUENCE, numbers()), behind_numbers);
            der(&(
                Element(SEQUENCE, (algorithm, Element(BIT_STRING, key))),
                behind_key,
            ))
        };
        let good = spki(&[], &[], RSA_ENCRYPTION);
        let key = RsaPublicKey::from_spki(&good).unwrap();
        assert_eq!((key.modulus(), key.exponent()), (&modulus[..], 65_537));
        assert_eq!(der(&&key), good);
        let other_algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x05\x00";
        for bad in [
            spki(&[5, 0], &[], RSA_ENCRYPTION),
            spki(&[], &[5, 0], RSA_ENCRYPTION),
            spki(&[], &[], other_algorithm),
            spki(&[], &[], &[]),
            Vec::new(),
        ] {
            assert_eq!(RsaPublicKey::from_spki(&bad), Err(KeyError::NotRsa));
        }
    }
}
