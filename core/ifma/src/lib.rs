//! Powers modulo an RSA key's modulus, on x86-64 processors that multiply eight 52-bit digits at once
//! (AVX-512 IFMA: Intel since Ice Lake, AMD since Zen 4).
//!
//! `privyseal-core` verifies every signature before it lets a token out, and beside a fast token that is what
//! the pipeline costs most. With these instructions it takes a quarter of the time. They cannot be used without
//! `unsafe`, which the core forbids itself, so they have a crate of their own, with one call of them. Where the
//! processor lacks them [`Modulus::new`] gives none, and the core uses its portable arithmetic.
//!
//! Verifying needs public numbers only, so the time may depend on all of them. Elsewhere than on x86-64 this
//! crate is empty.
#![no_std]
#![cfg(target_arch = "x86_64")]
#![warn(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable
)]

#[cfg(test)]
extern crate std;

mod digits;
mod product;
#[cfg(test)]
mod tests;

use digits::{Digits, from_limbs, low, to_limbs};
use product::Multiplier;

/// Whether the processor has the instructions, and the operating system keeps their registers.
pub fn is_available() -> bool {
    product::is_available()
}

/// A modulus, and what is constant for it and an exponent: `L` limbs of 64 bits (the lowest first) in `R` registers of eight
/// digits: `R` is 5 for 2048 bits, 8 for 3072, 10 for 4096.
///
/// Products are divided by 2^(416 `R`), the number just above all digits (Montgomery's method), and stay below twice the
/// modulus without a comparison, as that number is more than four times the modulus.
#[derive(Clone, Debug)]
pub struct Modulus<const L: usize, const R: usize> {
    limbs: [u64; L],
    multiplier: Multiplier<R>,
    exponent: u32,
    /// 2^(416 `R`) squared.
    r_squared: Digits<R>,
}

impl<const L: usize, const R: usize> Modulus<L, R> {
    /// Bits of all digits, which are two more than the modulus has, at least.
    const BITS: usize = {
        let bits = 416 * R;
        assert!(bits >= 64 * L + 2 && R <= 16);
        bits
    };

    /// For powers with `exponent`. None where one of them is even or 1, where the highest bit of the modulus is not set, and
    /// where [`is_available`] is false.
    pub fn new(limbs: [u64; L], exponent: u32) -> Option<Self> {
        let (lowest, highest) = (limbs.first()?, limbs.last()?);
        if lowest & 1 == 0 || highest >> 63 == 0 || exponent & 1 == 0 || exponent == 1 {
            return None;
        }
        let mut new = Self {
            multiplier: Multiplier::new(&limbs)?,
            limbs,
            exponent,
            r_squared: [[0; 8]; R],
        };
        new.r_squared = new.r_squared();
        Some(new)
    }

    /// The modulus itself.
    pub const fn limbs(&self) -> &[u64; L] {
        &self.limbs
    }

    /// `base` to the exponent, modulo the modulus; `base` must be below it.
    pub fn power(&self, base: &[u64; L]) -> [u64; L] {
        let plain = from_limbs(base);
        let base = self.multiplier.product(&plain, &self.r_squared);
        let mut power = base;
        // The lowest bit, which is set, is left: times the base itself, which takes the power out of Montgomery form.
        for bit in (1..self.exponent.checked_ilog2().unwrap_or(0)).rev() {
            power = self.multiplier.product(&power, &power);
            if self.exponent >> bit & 1 == 1 {
                power = self.multiplier.product(&power, &base);
            }
        }
        power = self.multiplier.product(&power, &power);
        let (number, over) = to_limbs(&self.multiplier.product(&power, &plain));
        self.below_modulus(number, over)
    }

    /// Squaring 2^k in Montgomery form gives 2^2k, so few squares lead from a small power of two to all bits of the digits.
    fn r_squared(&self) -> Digits<R> {
        // 2^(64 L) less the modulus, as that has its highest bit; so many bits are left to one in Montgomery form.
        let mut number = self.below_modulus([0; L], true);
        let squares = Self::BITS.trailing_zeros();
        let mut left = Self::BITS - 64 * L + (Self::BITS >> squares);
        while left > 0 {
            let bits = left.min(32);
            number = self.shifted(number, bits);
            left -= bits;
        }
        let mut power = from_limbs(&number);
        for _ in 0..squares {
            power = self.multiplier.product(&power, &power);
        }
        power
    }

    /// `number` times 2^`bits`, of which there are 1 to 63: a step of a division.
    fn shifted(&self, mut number: [u64; L], bits: usize) -> [u64; L] {
        let mut over = 0;
        for limb in &mut number {
            (*limb, over) = (*limb << bits | over, *limb >> (64 - bits));
        }
        let highest = |limbs: &[u64; L]| u128::from(limbs.last().copied().unwrap_or(u64::MAX));
        // By the highest limb of the modulus alone it is right, or one or two too much (Knuth, 4.3.1, theorem B).
        let quotient = (u128::from(over) << 64 | highest(&number)) / highest(&self.limbs);
        let mut taken = 0;
        for (limb, n) in number.iter_mut().zip(&self.limbs) {
            taken += u128::from(*n) * quotient;
            let (less, borrow) = limb.overflowing_sub(low(taken));
            *limb = less;
            taken = (taken >> 64) + u128::from(borrow);
        }
        while taken != over.into() {
            let mut carry = false;
            for (limb, n) in number.iter_mut().zip(&self.limbs) {
                let (more, first) = limb.overflowing_add(*n);
                let (more, second) = more.overflowing_add(carry.into());
                (*limb, carry) = (more, first | second);
            }
            taken -= u128::from(carry);
        }
        number
    }

    /// `number`, with 2^(64 L) more if `over`, less the modulus if it is not below it.
    fn below_modulus(&self, number: [u64; L], over: bool) -> [u64; L] {
        if !over && number.iter().rev().lt(self.limbs.iter().rev()) {
            return number;
        }
        let (mut difference, mut borrow) = (number, false);
        for (limb, n) in difference.iter_mut().zip(&self.limbs) {
            let (less, first) = limb.overflowing_sub(*n);
            let (less, second) = less.overflowing_sub(borrow.into());
            (*limb, borrow) = (less, first | second);
        }
        difference
    }
}
