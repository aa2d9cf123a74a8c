//! Numbers as digits of 52 bits, eight to a register.

use crate::{LIMBS, Number};

/// Bits of a digit.
pub(crate) const BITS: u32 = 52;

/// The bits that a digit has.
pub(crate) const MASK: u64 = (1 << BITS) - 1;

/// Registers of a number.
pub(crate) const REGISTERS: usize = 5;

/// A number of 2080 bits, the lowest digit first.
pub(crate) type Digits = [[u64; 8]; REGISTERS];

/// The same number in digits.
pub(crate) fn from_limbs(limbs: &Number) -> Digits {
    let (mut digits, mut limbs) = (Digits::default(), limbs.iter());
    let (mut bits, mut len) = (0_u128, 0);
    for digit in digits.as_flattened_mut() {
        if len < BITS {
            let next = limbs.next().copied().unwrap_or(0);
            bits |= u128::from(next) << len;
            len += u64::BITS;
        }
        *digit = low(bits) & MASK;
        bits >>= BITS;
        len -= BITS;
    }
    digits
}

/// The same number in limbs, and whether it has 2^2048 more. It is below 2^2049.
pub(crate) fn to_limbs(digits: &Digits) -> (Number, bool) {
    let (mut limbs, mut digits) = ([0; LIMBS], digits.as_flattened().iter());
    let (mut bits, mut len) = (0_u128, 0);
    for limb in &mut limbs {
        while len < u64::BITS {
            let next = digits.next().copied().unwrap_or(0);
            bits |= u128::from(next) << len;
            len += BITS;
        }
        *limb = low(bits);
        bits >>= u64::BITS;
        len -= u64::BITS;
    }
    (limbs, bits != 0)
}

/// -1 / `odd`, modulo one digit. Each step of Newton's method doubles the bits that are right, from three.
pub(crate) fn negated_inverse(odd: &Number) -> u64 {
    let [odd, ..] = odd;
    let mut inverse = *odd;
    for _ in 0..5 {
        let error = 2_u64.wrapping_sub(odd.wrapping_mul(inverse));
        inverse = inverse.wrapping_mul(error);
    }
    inverse.wrapping_neg() & MASK
}

/// The low 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "it is what is asked for")]
pub(crate) const fn low(number: u128) -> u64 {
    number as u64
}
