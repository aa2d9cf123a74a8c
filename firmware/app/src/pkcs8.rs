//! The numbers of an RSA private key, borrowed from its PKCS#8 (RFC 5958; RFC 8017 appendix A.1.2).
//!
//! The modulus and the two primes are read and nothing else: what follows from them is computed here, so
//! that no number of the import can be at odds with them.

use der::Decode;
use pkcs1::{ALGORITHM_OID, RsaPrivateKeyRef};
use pkcs8::PrivateKeyInfoRef;

/// What is needed of the key.
pub(crate) struct Numbers<'a> {
    pub(crate) modulus: &'a [u8],
    pub(crate) p: &'a [u8],
    pub(crate) q: &'a [u8],
}

/// Why there are no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// Not PKCS#8 of an RSA key with two primes.
    Malformed,
    /// Not RSA-2048 with exponent 65537.
    Unfit,
}

impl From<der::Error> for KeyFault {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

/// Reads the key; `der` must hold nothing else.
pub(crate) fn read(der: &[u8]) -> Result<Numbers<'_>, KeyFault> {
    let info = PrivateKeyInfoRef::from_der(der)?;
    if info.algorithm.oid != ALGORITHM_OID {
        return Err(KeyFault::Malformed);
    }
    let key = RsaPrivateKeyRef::from_der(info.private_key.as_bytes())?;
    let numbers = Numbers {
        modulus: key.modulus.as_bytes(),
        p: key.prime1.as_bytes(),
        q: key.prime2.as_bytes(),
    };
    match (key.public_exponent.as_bytes(), numbers.modulus.len()) {
        ([1, 0, 1], 256) => Ok(numbers),
        _ => Err(KeyFault::Unfit),
    }
}
