//! One prime of the key: its modulus and its share of the private exponent.

use zeroize::Zeroize;

use crate::PUBLIC_EXPONENT;
use crate::error::{KeyError, Prime};
use crate::limbs::{Limb, add_masked, is_less, mac, mask, mask_if_equal, mask_if_zero, sub_masked};
use crate::modulus::Modulus;
use crate::power::{Scratch, power};

/// A prime ready for exponentiations.
pub(crate) struct PrimeModulus<const P: usize> {
    pub(crate) modulus: Modulus<P>,
    /// 1 / e mod (p - 1).
    pub(crate) exponent: [Limb; P],
}

impl<const P: usize> PrimeModulus<P> {
    /// Of no use before [`PrimeModulus::set`].
    pub(crate) const EMPTY: Self = Self {
        modulus: Modulus::EMPTY,
        exponent: [0; P],
    };

    /// Checks the size and what the exponent needs, and precomputes.
    pub(crate) fn set(&mut self, limbs: &[Limb; P], which: Prime) -> Result<(), KeyError> {
        if limbs.last().is_none_or(|top| top >> 31 == 0) {
            return Err(KeyError::Size(which));
        }
        if limbs.first().is_none_or(|lowest| lowest & 1 == 0) {
            return Err(KeyError::Even(which));
        }
        if !private_exponent(limbs, &mut self.exponent) {
            return Err(KeyError::Exponent(which));
        }
        self.modulus.set(limbs);
        Ok(())
    }

    /// The exponent of the inverse of a signature: -1 / e mod (p - 1).
    pub(crate) fn negated_exponent(&self) -> [Limb; P] {
        let mut negated = *self.modulus.limbs();
        // p is odd: one less does not borrow. The exponent is below p - 1.
        sub_masked(&mut negated, &Modulus::<P>::ONE, Limb::MAX);
        sub_masked(&mut negated, &self.exponent, Limb::MAX);
        negated
    }

    /// `out = 1 / a mod p` in Montgomery form, as a^(p - 2). That it is the inverse is Fermat's test of p to
    /// the base a, so it is checked.
    #[inline(never)]
    pub(crate) fn invert(
        &self,
        a: &[Limb; P],
        which: Prime,
        out: &mut [Limb; P],
    ) -> Result<(), KeyError> {
        let mut scratch = Scratch::new();
        let p = &self.modulus;
        let (mut exponent, mut product) = (*p.limbs(), [0; P]);
        sub_masked(&mut exponent, &two::<P>(), Limb::MAX);
        p.enter(out, a, &mut scratch.workspace);
        power(p, out, &exponent, &mut scratch);
        // a * (R / a) / R, and out of Montgomery form: the number 1.
        p.multiply(&mut product, a, out, &mut scratch.workspace);
        p.reduce(&mut product);
        exponent.zeroize();
        scratch.zeroize();
        if mask_if_equal(&product, &Modulus::<P>::ONE) == 0 {
            return Err(KeyError::Composite(which));
        }
        Ok(())
    }
}

impl<const P: usize> Zeroize for PrimeModulus<P> {
    fn zeroize(&mut self) {
        self.modulus.zeroize();
        self.exponent.zeroize();
    }
}

/// Whether |x - y| exceeds 2^(32 P - 100), as FIPS 186-5 appendix A.1.1 wants it.
pub(crate) fn are_far_apart<const P: usize>(x: &[Limb; P], y: &[Limb; P]) -> bool {
    let bits = [(x, y), (y, x)].iter().fold(0, |bits, (x, y)| {
        let mut difference = **x;
        // Of the two differences one has a borrow, and does not count.
        let counts = mask(sub_masked(&mut difference, *y, Limb::MAX) ^ 1);
        // 32 P - 100 = 32 (P - 4) + 28.
        let above = difference.iter().skip(P.wrapping_sub(4)).enumerate();
        let above = above.fold(0, |above, (limb, &value)| {
            above | if limb == 0 { value >> 28 } else { value }
        });
        difference.zeroize();
        bits | (above & counts)
    });
    bits != 0
}

/// Whether d = 1 / e mod lcm(p - 1, q - 1) exceeds 2^(32 P), as FIPS 186-5 appendix A.1.1 wants it.
///
/// A smaller d is below 2 (p - 1) and below 2 (q - 1), as both primes are above 2^(32 P - 1). Modulo p - 1 it is
/// dP: it would be dP or dP + p - 1, and also dQ or dQ + q - 1. So it is large where none of these are equal,
/// and no lcm has to be computed.
pub(crate) fn is_exponent_large<const P: usize>(p: &PrimeModulus<P>, q: &PrimeModulus<P>) -> bool {
    let mut possible = [p, q].map(|prime| {
        let mut sum = *prime.modulus.limbs();
        sub_masked(&mut sum, &Modulus::<P>::ONE, Limb::MAX);
        let carry = add_masked(&mut sum, &prime.exponent, Limb::MAX);
        [(prime.exponent, 0), (sum, carry)]
    });
    let [of_p, of_q] = &possible;
    let pairs = of_p.iter().flat_map(|x| of_q.iter().map(move |y| (x, y)));
    let equal = pairs.fold(0, |equal, ((x, x_carry), (y, y_carry))| {
        equal | (mask_if_equal(x, y) & mask_if_zero(x_carry ^ y_carry))
    });
    for (number, _) in possible.as_flattened_mut() {
        number.zeroize();
    }
    equal == 0
}

/// `out = 1 / e mod (p - 1)`, unless e divides p - 1.
///
/// As e is a prime, the inverse is (1 + k (p - 1)) / e for the one k below e that makes the division
/// exact: k = -1 / (p - 1) mod e.
fn private_exponent<const P: usize>(p: &[Limb; P], out: &mut [Limb; P]) -> bool {
    let e = PUBLIC_EXPONENT;
    let mut less_one = *p;
    sub_masked(&mut less_one, &Modulus::<P>::ONE, Limb::MAX);
    let residue = modulo_exponent(&less_one);
    if residue == 0 {
        return false;
    }
    // -(r^(e - 2)) mod e.
    let k = e.wrapping_sub(small_power(residue, e.wrapping_sub(2)));
    let mut dividend_carry = 1;
    let mut quotient_carry = 0;
    for (quotient, &limb) in out.iter_mut().zip(&less_one) {
        let dividend;
        (dividend, dividend_carry) = mac(limb, k, dividend_carry, 0);
        // Exact division from below (Jebelean 1993): each limb of the quotient is the one that makes the
        // product agree with the dividend so far.
        let difference = dividend.wrapping_sub(quotient_carry);
        let borrow = is_less(&[dividend], &[quotient_carry]);
        *quotient = difference.wrapping_mul(INVERSE_OF_E);
        let (_, high) = mac(*quotient, e, 0, 0);
        quotient_carry = high.wrapping_add(borrow);
    }
    less_one.zeroize();
    true
}

/// 1 / e mod 2^32: (2^16 + 1) (1 - 2^16) = 1 - 2^32.
const INVERSE_OF_E: Limb = 1_u32.wrapping_sub(1 << 16);

/// `x mod 65537`. 2^32 is 1 modulo 2^16 + 1, so the limbs are simply added up.
pub(crate) fn modulo_exponent(x: &[Limb]) -> Limb {
    let sum = x
        .iter()
        .fold(0_u64, |sum, &limb| sum.wrapping_add(u64::from(limb)));
    small_modulo(sum)
}

/// `x mod 65537` without a division, for x below 2^48; 2^16 is -1.
fn small_modulo(x: u64) -> Limb {
    let e = u64::from(PUBLIC_EXPONENT);
    let digit = |shift: u32| (x >> shift) & 0xffff;
    // Between 1 and 3 e: the modulus is added once so that it stays positive.
    let sum = digit(0)
        .wrapping_add(digit(32))
        .wrapping_add(e)
        .wrapping_sub(digit(16));
    let reduced = (0..2).fold(sum, |sum, _| {
        let below = sum.wrapping_sub(e);
        // All ones if the subtraction went below zero.
        let keep = 0_u64.wrapping_sub(below >> 63);
        (sum & keep) | (below & !keep)
    });
    u32::try_from(reduced).unwrap_or(0)
}

/// `base^exponent mod 65537`; the exponent is public.
fn small_power(base: Limb, exponent: u32) -> Limb {
    let product = |a: Limb, b: Limb| small_modulo(u64::from(a).wrapping_mul(u64::from(b)));
    (0..u32::BITS).rev().fold(1, |power, bit| {
        let squared = product(power, power);
        if (exponent >> bit) & 1 == 1 {
            product(squared, base)
        } else {
            squared
        }
    })
}

/// The number 2.
fn two<const P: usize>() -> [Limb; P] {
    let mut two = Modulus::<P>::ONE;
    if let Some(lowest) = two.first_mut() {
        *lowest = 2;
    }
    two
}

#[cfg(test)]
mod tests;
