//! Numbers as digits of 52 bits, eight to a register.

/// Bits of a digit.
pub(crate) const BITS: u32 = 52;

/// The bits that a digit has.
pub(crate) const MASK: u64 = (1 << BITS) - 1;

/// A number of 416 R bits, the lowest digit first.
pub(crate) type Digits<const R: usize> = [[u64; 8]; R];

/// The same number in digits.
pub(crate) fn from_limbs<const R: usize>(limbs: &[u64]) -> Digits<R> {
    let (mut digits, mut limbs) = ([[0; 8]; R], limbs.iter());
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

/// The same number in limbs, and whether it has 2^(64 L) more. It is below twice that.
pub(crate) fn to_limbs<const L: usize, const R: usize>(digits: &Digits<R>) -> ([u64; L], bool) {
    let (mut limbs, mut digits) = ([0; L], digits.as_flattened().iter());
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
pub(crate) fn negated_inverse(odd: u64) -> u64 {
    let mut inverse = odd;
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
