//! A public key as SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7, RFC 8017 appendix A.1).

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader};

use super::key::{KeyError, RsaPublicKey};
use crate::encoding::sink::{Counter, Sink, into_ok};
use crate::encoding::tlv::{BIT_STRING, Der, INTEGER, SEQUENCE, tlv_len, write_header};

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
    let numbers = integer_len(key.modulus()).saturating_add(integer_len(&exponent));
    let bit_string = tlv_len(numbers).saturating_add(1);
    let content = RSA_ENCRYPTION.len().saturating_add(tlv_len(bit_string));

    write_header(sink, SEQUENCE, content)?;
    sink.write(RSA_ENCRYPTION)?;
    write_header(sink, BIT_STRING, bit_string)?;
    sink.write(&[0])?; // no unused bits
    write_header(sink, SEQUENCE, numbers)?;
    write_integer(sink, key.modulus())?;
    write_integer(sink, &exponent)
}

impl Der for &RsaPublicKey {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        write_spki(self, sink)
    }
}

/// Bytes of the SubjectPublicKeyInfo.
pub fn spki_len(key: &RsaPublicKey) -> usize {
    let mut counter = Counter::default();
    into_ok(write_spki(key, &mut counter));
    counter.0
}

fn write_integer<S: Sink>(sink: &mut S, number: &[u8]) -> Result<(), S::Error> {
    let (sign, digits) = unsigned(number);
    write_header(sink, INTEGER, digits.len().saturating_add(sign.len()))?;
    sink.write(sign)?;
    sink.write(digits)
}

fn integer_len(number: &[u8]) -> usize {
    let (sign, digits) = unsigned(number);
    tlv_len(digits.len().saturating_add(sign.len()))
}

/// A positive INTEGER without superfluous zeros, and the zero before a set top bit.
fn unsigned(number: &[u8]) -> (&'static [u8], &[u8]) {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let digits = number.get(zeros..).unwrap_or(&[]);
    let sign: &[u8] = if digits.first().is_none_or(|first| first & 0x80 != 0) {
        &[0]
    } else {
        &[]
    };
    (sign, digits)
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
