//! A private key: two primes and everything that follows from them.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::MAX_MODULUS_LEN;
use crate::error::{KeyError, Prime};
use crate::limbs::{Limb, from_bytes, mask_if_equal, multiply_add, to_bytes};
use crate::modulus::Modulus;
use crate::prime::{PrimeModulus, are_far_apart, is_exponent_large};

/// An RSA private key with public exponent 65537, all precomputations made: primes of `P` limbs of 32 bits,
/// a modulus of `N = 2 P`. Wiped when dropped.
///
/// It takes 1.4 KiB for RSA-2048, 2.8 KiB for RSA-4096. Keep it in one place: Rust moves values by copying
/// them, and does not wipe what it has copied from.
pub struct PrivateKey<const P: usize, const N: usize> {
    pub(crate) p: PrimeModulus<P>,
    pub(crate) q: PrimeModulus<P>,
    /// 1 / q mod p, in Montgomery form.
    pub(crate) q_inverse: [Limb; P],
    pub(crate) n: Modulus<N>,
}

impl<const P: usize, const N: usize> PrivateKey<P, N> {
    /// Of no use before [`PrivateKey::set`].
    pub(crate) const EMPTY: Self = Self {
        p: PrimeModulus::EMPTY,
        q: PrimeModulus::EMPTY,
        q_inverse: [0; P],
        n: Modulus::EMPTY,
    };

    /// Checks two primes against each other and against the modulus that the caller knows (from a
    /// certificate, say), and precomputes. All numbers are big-endian; primes have `4 P` bytes, the modulus
    /// has `4 N`.
    ///
    /// The steps taken depend on the values only where they end in an error.
    ///
    /// # Errors
    /// The rules are those of [`KeyError`]. Each prime passes Fermat's test to the base of the other: it
    /// finds damaged keys, not keys made to deceive.
    pub fn from_primes(p: &[u8], q: &[u8], modulus: &[u8]) -> Result<Self, KeyError> {
        // Wiped by its drop wherever a check fails.
        let mut key = Self::EMPTY;
        key.import(p, q, modulus).map(|()| key)
    }

    /// The same, into its place. After an error there are parts of the key.
    #[inline(never)]
    pub(crate) fn import(&mut self, p: &[u8], q: &[u8], modulus: &[u8]) -> Result<(), KeyError> {
        let (mut primes, mut named) = ([[0; P]; 2], [0; N]);
        let [p_limbs, q_limbs] = &mut primes;
        for (bytes, limbs, which) in [(p, &mut *p_limbs, Prime::P), (q, &mut *q_limbs, Prime::Q)] {
            if bytes.len() != size_of_val(limbs) {
                return Err(KeyError::Size(which));
            }
            from_bytes(bytes, limbs);
        }
        if modulus.len() != size_of_val(&named) {
            return Err(KeyError::ModulusSize);
        }
        from_bytes(modulus, &mut named);
        let outcome = self.set(p_limbs, q_limbs, Some(&named));
        primes.zeroize();
        outcome
    }

    /// From two primes, and the modulus if that is known. After an error there are parts of the key.
    pub(crate) fn set(
        &mut self,
        p: &[Limb; P],
        q: &[Limb; P],
        named: Option<&[Limb; N]>,
    ) -> Result<(), KeyError> {
        let mut n = [0; N];
        multiply_add(p, q, &[0; P], &mut n);
        self.p.set(p, Prime::P)?;
        self.q.set(q, Prime::Q)?;
        if !are_far_apart(p, q) {
            return Err(KeyError::TooClose);
        }
        if n.last().is_none_or(|top| top >> 31 == 0) {
            return Err(KeyError::ModulusSize);
        }
        if named.is_some_and(|named| mask_if_equal(&n, named) == 0) {
            return Err(KeyError::Product);
        }
        if !is_exponent_large(&self.p, &self.q) {
            return Err(KeyError::PrivateExponent);
        }
        self.n.set(&n);
        // The one that is not needed is in the place of the one that is.
        self.q.invert(p, Prime::Q, &mut self.q_inverse)?;
        self.p.invert(q, Prime::P, &mut self.q_inverse)
    }

    /// The public modulus, big-endian, as `4 N` bytes.
    pub fn modulus<'a>(&self, out: &'a mut [u8; MAX_MODULUS_LEN]) -> &'a [u8] {
        to_bytes(self.n.limbs(), out).0
    }

    /// The primes p and q, big-endian, as `4 P` bytes each. They are the key: the caller keeps them secret, and
    /// wipes `out`.
    pub fn primes<'a>(&self, out: &'a mut [u8; MAX_MODULUS_LEN]) -> (&'a [u8], &'a [u8]) {
        let (p, rest) = to_bytes(self.p.modulus.limbs(), out);
        (p, to_bytes(self.q.modulus.limbs(), rest).0)
    }
}
impl<const P: usize, const N: usize> Zeroize for PrivateKey<P, N> {
    fn zeroize(&mut self) {
        self.p.zeroize();
        self.q.zeroize();
        self.q_inverse.zeroize();
        self.n.zeroize();
    }
}

impl<const P: usize, const N: usize> Drop for PrivateKey<P, N> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<const P: usize, const N: usize> ZeroizeOnDrop for PrivateKey<P, N> {}

impl<const P: usize, const N: usize> fmt::Debug for PrivateKey<P, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey {{ RSA-{}, .. }}", N.wrapping_mul(32))
    }
}

#[cfg(test)]
mod tests;
