//! Powers modulo an RSA-2048 key's modulus, on x86-64 processors that multiply eight 52-bit digits at once
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

use digits::{Digits, from_limbs, to_limbs};
use product::Multiplier;

/// Limbs of 64 bits in a number, the lowest first.
pub const LIMBS: usize = 32;

/// A number below 2^2048.
pub type Number = [u64; LIMBS];

/// A modulus, and what is constant for it and an exponent.
///
/// R is 2^2080, the number just above all digits. Products are divided by it (Montgomery's method) and stay
/// below twice the modulus without a comparison, as R is more than four times that.
#[derive(Clone, Debug)]
pub struct Modulus {
    limbs: Number,
    multiplier: Multiplier,
    exponent: u32,
    /// R^exponent.
    correction: Digits,
}

impl Modulus {
    /// For powers with `exponent`, which is above 1. The modulus is odd, and its highest bit is set. None
    /// where the processor lacks the instructions, or the operating system does not keep their registers.
    pub fn new(limbs: Number, exponent: u32) -> Option<Self> {
        let mut new = Self {
            multiplier: Multiplier::new(&limbs)?,
            limbs,
            exponent,
            correction: Digits::default(),
        };
        // R squared is R in Montgomery form, and its power here R^exponent in that form.
        let power = new.uncorrected_power(&new.r_squared());
        new.correction = new.multiplier.product(&power, &from_limbs(&one()));
        Some(new)
    }

    /// The modulus itself.
    pub const fn limbs(&self) -> &Number {
        &self.limbs
    }

    /// `base` to the exponent, modulo the modulus; `base` must be below it.
    pub fn power(&self, base: &Number) -> Number {
        // Each product divided by R: there is one less of them than the exponent says.
        let power = self.uncorrected_power(&from_limbs(base));
        let (number, over) = to_limbs(&self.multiplier.product(&power, &self.correction));
        self.below_modulus(number, over)
    }

    /// `base` to the exponent, divided by R once less than that.
    fn uncorrected_power(&self, base: &Digits) -> Digits {
        let mut power = *base;
        for bit in bits_below_the_first(self.exponent) {
            power = self.multiplier.product(&power, &power);
            if bit {
                power = self.multiplier.product(&power, base);
            }
        }
        power
    }

    /// R squared modulo the modulus. Squaring 2^k in Montgomery form gives 2^2k, so few squares lead from
    /// a small power of two to R, and 2080 is 65 doubled five times.
    fn r_squared(&self) -> Digits {
        // 2^2048 less the modulus, as that has its highest bit; 32 bits are left to R, which is one in
        // Montgomery form.
        let mut number = self.below_modulus([0; LIMBS], true);
        for _ in 0..32 + 65 {
            number = self.double(&number);
        }
        let mut power = from_limbs(&number);
        for _ in 0..5 {
            power = self.multiplier.product(&power, &power);
        }
        power
    }

    fn double(&self, number: &Number) -> Number {
        let (mut doubled, mut carry) = (*number, false);
        for limb in &mut doubled {
            (*limb, carry) = (*limb << 1 | u64::from(carry), *limb >> 63 == 1);
        }
        self.below_modulus(doubled, carry)
    }

    /// `number`, with 2^2048 more if `over`, less the modulus if it is not below it.
    fn below_modulus(&self, number: Number, over: bool) -> Number {
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

fn one() -> Number {
    core::array::from_fn(|place| u64::from(place == 0))
}

/// The bits of an exponent after the first that is set, that one first which counts most.
fn bits_below_the_first(exponent: u32) -> impl Iterator<Item = bool> {
    let first = exponent.checked_ilog2().unwrap_or(0);
    (0..first).rev().map(move |bit| exponent >> bit & 1 == 1)
}
