//! The numbers of an RSA private key, borrowed from its PKCS#8 (RFC 5958; RFC 8017 appendix A.1.2).
//!
//! The modulus and the two primes are read and nothing else: what follows from them is computed here, so
//! that no number of the import can be at odds with them.

use der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader, Tag, Tagged};

/// Bytes of a prime of RSA-2048, the one size that is taken.
const PRIME_LEN: usize = 128;
/// Bytes of its modulus.
const MODULUS_LEN: usize = 256;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// What is needed of the key.
pub(crate) struct Numbers<'a> {
    pub(crate) modulus: &'a [u8; MODULUS_LEN],
    pub(crate) p: &'a [u8; PRIME_LEN],
    pub(crate) q: &'a [u8; PRIME_LEN],
}

/// Why there are no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// Not PKCS#8 of an RSA key.
    Malformed,
    /// Not RSA-2048 with exponent 65537, or with more primes than two.
    Unfit,
}

impl From<der::Error> for KeyFault {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

/// Reads the key; `der` must hold nothing else.
pub(crate) fn read(der: &[u8]) -> Result<Numbers<'_>, KeyFault> {
    let mut reader = SliceReader::new(der)?;
    let key = reader.sequence(|info| {
        let version = UintRef::decode(info)?.as_bytes();
        let algorithm = AnyRef::decode(info)?;
        let key = AnyRef::decode(info)?;
        // [0] attributes and [1] the public key may follow; neither is of use here.
        while !info.is_finished() {
            info.tlv_bytes()?;
        }
        let is_key = key.tag() == Tag::OctetString && is_rsa(algorithm);
        if !matches!(version, [0 | 1]) || !is_key {
            return Err(KeyFault::Malformed);
        }
        Ok(key.value())
    })?;
    reader.finish()?;
    numbers(key)
}

fn is_rsa(algorithm: AnyRef<'_>) -> bool {
    let identifier = SliceReader::new(algorithm.value())
        .and_then(|mut content| ObjectIdentifier::decode(&mut content));
    algorithm.tag() == Tag::Sequence && identifier == Ok(RSA_ENCRYPTION)
}

fn numbers(key: &[u8]) -> Result<Numbers<'_>, KeyFault> {
    let mut reader = SliceReader::new(key)?;
    let numbers = reader.sequence(|fields| {
        let version = UintRef::decode(fields)?.as_bytes();
        let [modulus, exponent, _d, p, q] = [
            UintRef::decode(fields)?.as_bytes(),
            UintRef::decode(fields)?.as_bytes(),
            UintRef::decode(fields)?.as_bytes(),
            UintRef::decode(fields)?.as_bytes(),
            UintRef::decode(fields)?.as_bytes(),
        ];
        // dP, dQ and qInv.
        for _ in 0..3 {
            UintRef::decode(fields)?;
        }
        let sizes = (modulus.try_into(), p.try_into(), q.try_into());
        match (version, exponent, sizes) {
            ([0], [1, 0, 1], (Ok(modulus), Ok(p), Ok(q))) if fields.is_finished() => {
                Ok(Numbers { modulus, p, q })
            }
            _ => Err(KeyFault::Unfit),
        }
    })?;
    reader.finish()?;
    Ok(numbers)
}
