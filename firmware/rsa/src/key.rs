//! A private key: two primes and everything that follows from them.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::{KeyError, Prime};
use crate::limbs::{FULL, HALF, Limb, from_bytes, mask_if_equal, multiply_add, to_bytes};
use crate::modulus::Modulus;
use crate::power::Scratch;
use crate::prime::{PrimeModulus, are_far_apart};
use crate::{MODULUS_LEN, PRIME_LEN};

/// An RSA-2048 private key with public exponent 65537, all precomputations made. Wiped when dropped.
///
/// It takes 1.4 KiB. Keep it in one place: Rust moves values by copying them, and does not wipe
/// what it has copied from.
pub struct PrivateKey {
    pub(crate) p: PrimeModulus,
    pub(crate) q: PrimeModulus,
    /// 1 / q mod p, in Montgomery form.
    pub(crate) q_inverse: [Limb; HALF],
    pub(crate) n: Modulus<FULL>,
}

impl PrivateKey {
    /// Checks two primes against each other and against the modulus that the caller knows (from a
    /// certificate, say), and precomputes. All numbers are big-endian.
    ///
    /// The steps taken depend on the values only where they end in an error.
    ///
    /// # Errors
    /// The rules are those of [`KeyError`]. Each prime passes Fermat's test to the base of the other: it
    /// finds damaged keys, not keys made to deceive.
    pub fn from_primes(
        p: &[u8; PRIME_LEN],
        q: &[u8; PRIME_LEN],
        modulus: &[u8; MODULUS_LEN],
    ) -> Result<Self, KeyError> {
        let mut primes = [[0; HALF]; 2];
        let [p_limbs, q_limbs] = &mut primes;
        from_bytes(p, p_limbs);
        from_bytes(q, q_limbs);
        let key = Self::from_limbs(p_limbs, q_limbs, modulus);
        primes.zeroize();
        key
    }

    fn from_limbs(
        p: &[Limb; HALF],
        q: &[Limb; HALF],
        modulus: &[u8; MODULUS_LEN],
    ) -> Result<Self, KeyError> {
        let (mut n, mut named) = ([0; FULL], [0; FULL]);
        multiply_add(p, q, &[0; HALF], &mut n);
        from_bytes(modulus, &mut named);
        // Wiped by its drop wherever a check fails.
        let mut key = Self {
            p: PrimeModulus::new(p, Prime::P)?,
            q: PrimeModulus::new(q, Prime::Q)?,
            q_inverse: [0; HALF],
            n: Modulus::new(&n),
        };
        if !are_far_apart(p, q) {
            return Err(KeyError::TooClose);
        }
        if n.last().is_none_or(|top| top >> 31 == 0) {
            return Err(KeyError::ModulusSize);
        }
        if mask_if_equal(&n, &named) == 0 {
            return Err(KeyError::Product);
        }
        let mut scratch = Scratch::new();
        let inverses = key
            .p
            .invert(q, Prime::P, &mut scratch)
            .and_then(|q_inverse| {
                key.q_inverse = q_inverse;
                key.q.invert(p, Prime::Q, &mut scratch)
            });
        scratch.zeroize();
        inverses.map(|mut p_inverse| {
            p_inverse.zeroize();
            key
        })
    }

    /// The public modulus, big-endian.
    pub fn modulus(&self) -> [u8; MODULUS_LEN] {
        let mut bytes = [0; MODULUS_LEN];
        to_bytes(self.n.limbs(), &mut bytes);
        bytes
    }
}

impl Zeroize for PrivateKey {
    fn zeroize(&mut self) {
        self.p.zeroize();
        self.q.zeroize();
        self.q_inverse.zeroize();
        self.n.zeroize();
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey { RSA-2048, .. }")
    }
}

#[cfg(test)]
mod tests;
