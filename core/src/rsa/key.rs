//! An RSA public key as numbers.

use core::fmt;

use thiserror::Error;

use crate::limits::MAX_SIGNATURE;

/// An RSA public key: a modulus of 2048, 3072 or 4096 bits and an odd exponent from 65537 to 2^32 - 1.
///
/// Two keys are equal when their numbers are.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: [u8; MAX_SIGNATURE],
    len: usize,
    exponent: u32,
}

/// Why a public key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not an RSA key (its algorithm identifier is not rsaEncryption).
    #[error("is not an RSA key, or one for RSASSA-PSS alone (RFC 7518 section 3.3: RS256)")]
    NotRsa,
    /// The modulus has this many bits. Allowed are 2048, 3072 and 4096.
    #[error(
        "is RSA-{bits}; supported are RSA-2048, RSA-3072 and RSA-4096 (RFC 7518 section 3.3: at least 2048 bits)"
    )]
    Size {
        /// Bits of the modulus.
        bits: usize,
    },
    /// The modulus is even, so it is no product of two odd primes.
    #[error("has an even modulus, so it is no RSA key")]
    EvenModulus,
    /// The exponent is even, below 65537 or above 2^32 - 1 (FIPS 186-5 section 5.4).
    #[error(
        "has a public exponent that is even, below 65537 or above 2^32 - 1 (FIPS 186-5 section 5.4)"
    )]
    Exponent,
}

impl RsaPublicKey {
    /// From big-endian numbers; leading zero bytes are ignored.
    ///
    /// # Errors
    /// [`KeyError`]: size, parity or exponent.
    pub fn from_components(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let number = without_leading_zeros(modulus);
        let bits = bit_len(number);
        if !matches!(bits, 2048 | 3072 | 4096) {
            return Err(KeyError::Size { bits });
        }
        if number.last().is_none_or(|last| last & 1 == 0) {
            return Err(KeyError::EvenModulus);
        }
        let mut key = Self {
            modulus: [0; MAX_SIGNATURE],
            len: number.len(),
            exponent: public_exponent(exponent)?,
        };
        for (to, from) in key.modulus.iter_mut().zip(number) {
            *to = *from;
        }
        Ok(key)
    }

    /// The modulus, big-endian, without leading zeros: `n` of RFC 7518 section 6.3.1.1.
    pub fn modulus(&self) -> &[u8] {
        self.modulus.get(..self.len).unwrap_or(&[])
    }

    /// The public exponent: `e` of RFC 7518 section 6.3.1.2.
    pub const fn exponent(&self) -> u32 {
        self.exponent
    }

    /// Bytes of the modulus, and so of every signature: 256, 384 or 512.
    pub const fn size(&self) -> usize {
        self.len
    }

    /// Bits of the modulus: 2048, 3072 or 4096.
    pub const fn bits(&self) -> usize {
        self.len.saturating_mul(8)
    }
}

/// Public, but half a page long: the size and the first bytes identify it in a log.
impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPublicKey({} bits, n = 0x", self.bits())?;
        for byte in self.modulus().iter().take(8) {
            write!(f, "{byte:02x}")?;
        }
        write!(f, ".., e = {})", self.exponent)
    }
}

fn public_exponent(bytes: &[u8]) -> Result<u32, KeyError> {
    let number = without_leading_zeros(bytes);
    if number.len() > 4 {
        return Err(KeyError::Exponent);
    }
    let exponent = number
        .iter()
        .fold(0_u32, |sum, &byte| (sum << 8) | u32::from(byte));
    if exponent < 65537 || exponent & 1 == 0 {
        return Err(KeyError::Exponent);
    }
    Ok(exponent)
}

pub(crate) fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bytes.get(zeros..).unwrap_or(&[])
}

fn bit_len(number: &[u8]) -> usize {
    number.first().map_or(0, |first| {
        let spare = usize::try_from(first.leading_zeros()).unwrap_or(0);
        number.len().saturating_mul(8).saturating_sub(spare)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn modulus(bytes: usize) -> vec::Vec<u8> {
        let mut modulus = vec![0xc3; bytes];
        modulus[0] = 0x80;
        modulus
    }

    #[test]
    fn sizes() {
        for bytes in [256, 384, 512] {
            let key = RsaPublicKey::from_components(&modulus(bytes), &[1, 0, 1]).unwrap();
            assert_eq!(
                (key.bits(), key.size(), key.exponent()),
                (bytes * 8, bytes, 65537)
            );
        }
        for bytes in [0, 1, 128, 255, 257, 513, 1024] {
            assert!(matches!(
                RsaPublicKey::from_components(&modulus(bytes.max(1)), &[1, 0, 1]),
                Err(KeyError::Size { .. })
            ));
        }
        let mut short = modulus(256);
        short[0] = 0x7f;
        assert_eq!(
            RsaPublicKey::from_components(&short, &[1, 0, 1]),
            Err(KeyError::Size { bits: 2047 })
        );
    }

    #[test]
    fn leading_zeros_do_not_count() {
        let mut padded = vec![0, 0];
        padded.extend(modulus(256));
        assert_eq!(
            RsaPublicKey::from_components(&padded, &[0, 1, 0, 1]),
            RsaPublicKey::from_components(&modulus(256), &[1, 0, 1])
        );
    }

    #[test]
    fn exponents() {
        for bad in [&[][..], &[3], &[1, 0, 0], &[1, 0, 2], &[1, 0, 0, 0, 1]] {
            assert_eq!(
                RsaPublicKey::from_components(&modulus(256), bad),
                Err(KeyError::Exponent),
                "{bad:?}"
            );
        }
        for (bytes, exponent) in [(&[0, 1, 0, 1][..], 65537), (&[1, 2, 3, 5], 0x0102_0305)] {
            let key = RsaPublicKey::from_components(&modulus(256), bytes).unwrap();
            assert_eq!(key.exponent, exponent);
        }
    }

    #[test]
    fn an_even_modulus_is_refused() {
        let mut even = modulus(256);
        even[255] = 2;
        assert_eq!(
            RsaPublicKey::from_components(&even, &[1, 0, 1]),
            Err(KeyError::EvenModulus)
        );
    }
}
