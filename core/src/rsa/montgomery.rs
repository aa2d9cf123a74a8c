//! Powers modulo a public key's modulus: Montgomery's method, in the form that suits a small public
//! exponent.
//!
//! Verifying is what the pipeline adds to every signature of the hardware, so it is worth a file: on a
//! 64-bit machine it takes a quarter less time than the general arithmetic of `crypto-bigint`, which the tests
//! hold it against. Nor does it have a division, which could panic as far as the compiler knows. What makes the
//! difference is a square that computes each product once, two rows of products in one pass over memory, and
//! no conversion into Montgomery form: a power of the number itself carries a constant factor, which one
//! multiplication removes at the end. Products of twice the length are written where the caller has room for
//! them: returned, they would be on a microcontroller's stack three times.
//!
//! Some processors have better means, which take `unsafe`: crate `privyseal-ifma`.
//!
//! All numbers are public: the time depends on them. `W` is twice `L`.

use crypto_bigint::Limb;

/// A modulus of `L` limbs and what is constant for it and an exponent.
#[derive(Clone, Debug)]
pub(super) struct Modulus<const L: usize, const W: usize> {
    limbs: [Limb; L],
    /// -1 / modulus, modulo one limb.
    negated_inverse: Limb,
    exponent: u32,
    /// R^exponent modulo the modulus, where R is the number just above `L` limbs.
    correction: [Limb; L],
}

impl<const L: usize, const W: usize> Modulus<L, W> {
    /// For powers with `exponent`, which is above 1. The modulus is odd, and its highest bit is set.
    pub(super) fn new(modulus: [Limb; L], exponent: u32) -> Self {
        let mut new = Self {
            negated_inverse: negated_inverse(modulus.first().copied().unwrap_or(Limb::ONE)),
            limbs: modulus,
            exponent,
            correction: [Limb::ZERO; L],
        };
        // R squared is R in Montgomery form, and its power here R^exponent in that form.
        let power = new.uncorrected_power(&new.r_squared());
        let mut one = [Limb::ZERO; L];
        if let Some(lowest) = one.first_mut() {
            *lowest = Limb::ONE;
        }
        let mut t = [Limb::ZERO; W];
        product(&power, &one, &mut t);
        new.correction = new.reduce(&mut t);
        new
    }

    /// R squared modulo the modulus. Squaring 2^k in Montgomery form gives 2^2k, so few squares lead from
    /// a small power of two to R.
    fn r_squared(&self) -> [Limb; L] {
        let bits = L.saturating_mul(Limb::BITS.try_into().unwrap_or(0));
        let squares = bits.trailing_zeros();
        // One in Montgomery form: R less the modulus, as that has its highest bit.
        let mut number = self.below_modulus(&[Limb::ZERO; W], Limb::ONE);
        for _ in 0..bits >> squares {
            number = self.double(&number);
        }
        let mut t = [Limb::ZERO; W];
        for _ in 0..squares {
            square(&number, &mut t);
            number = self.reduce(&mut t);
        }
        number
    }

    fn double(&self, number: &[Limb; L]) -> [Limb; L] {
        let mut t = [Limb::ZERO; W];
        let mut carry = Limb::ZERO;
        for (to, limb) in t.iter_mut().skip(L).zip(number) {
            (*to, carry) = limb.carrying_add(*limb, carry);
        }
        self.below_modulus(&t, carry)
    }

    pub(super) const fn limbs(&self) -> &[Limb; L] {
        &self.limbs
    }

    /// `base` to the exponent, modulo the modulus; `base` must be below it.
    pub(super) fn power(&self, base: &[Limb; L]) -> [Limb; L] {
        // Each reduction divided by R: there is one less of them than the exponent says.
        let power = self.uncorrected_power(base);
        let mut t = [Limb::ZERO; W];
        product(&power, &self.correction, &mut t);
        self.reduce(&mut t)
    }

    /// `base` to the exponent, divided by R once less than that.
    fn uncorrected_power(&self, base: &[Limb; L]) -> [Limb; L] {
        let (mut power, mut t) = (*base, [Limb::ZERO; W]);
        for bit in bits_below_the_first(self.exponent) {
            square(&power, &mut t);
            power = self.reduce(&mut t);
            if bit {
                product(&power, base, &mut t);
                power = self.reduce(&mut t);
            }
        }
        power
    }

    /// `t` / R modulo the modulus (Montgomery reduction), two limbs in one pass. Uses `t` up.
    fn reduce(&self, t: &mut [Limb; W]) -> [Limb; L] {
        let (n, mut over) = (&self.limbs, Limb::ZERO);
        let mut window = t.as_mut_slice();
        while let ([n0, n1, beyond @ ..], [t0, t1, rest @ ..]) = (n.as_slice(), window) {
            // The multiples of the modulus that make the two lowest limbs zero.
            let m0 = t0.wrapping_mul(self.negated_inverse);
            let (_, carry) = m0.carrying_mul_add(*n0, *t0, Limb::ZERO);
            let (next, mut carry0) = m0.carrying_mul_add(*n1, *t1, carry);
            let m1 = next.wrapping_mul(self.negated_inverse);
            let (_, mut carry1) = m1.carrying_mul_add(*n0, next, Limb::ZERO);

            let Some((middle, [top0, top1, ..])) = rest.split_at_mut_checked(beyond.len()) else {
                break;
            };
            let mut before = *n1;
            for (t, n) in middle.iter_mut().zip(beyond) {
                let sum;
                (sum, carry0) = m0.carrying_mul_add(*n, *t, carry0);
                (*t, carry1) = m1.carrying_mul_add(before, sum, carry1);
                before = *n;
            }
            let carry;
            (*top0, carry) = top0.carrying_add(carry0, over);
            (*top0, carry1) = m1.carrying_mul_add(before, *top0, carry1);
            (*top1, over) = top1.carrying_add(carry1, carry);
            window = rest;
        }
        self.below_modulus(t, over)
    }

    /// The upper half of `t`, and `over` above it, less the modulus if it is not below it.
    fn below_modulus(&self, t: &[Limb; W], over: Limb) -> [Limb; L] {
        let mut number = [Limb::ZERO; L];
        for (to, from) in number.iter_mut().zip(t.iter().skip(L)) {
            *to = *from;
        }
        if over == Limb::ZERO && number.iter().rev().lt(self.limbs.iter().rev()) {
            return number;
        }
        let mut borrow = Limb::ZERO;
        for (limb, n) in number.iter_mut().zip(&self.limbs) {
            (*limb, borrow) = limb.borrowing_sub(*n, borrow);
        }
        number
    }
}

/// The bits of an exponent after the first that is set, that one first which counts most.
fn bits_below_the_first(exponent: u32) -> impl Iterator<Item = bool> {
    let first = exponent.checked_ilog2().unwrap_or(0);
    (0..first).rev().map(move |bit| exponent >> bit & 1 == 1)
}

/// -1 / `odd`, modulo one limb. Each step of Newton's method doubles the bits that are right, from three.
fn negated_inverse(odd: Limb) -> Limb {
    let mut inverse = odd;
    for _ in 0..5 {
        let error = Limb::from(2_u8).wrapping_sub(odd.wrapping_mul(inverse));
        inverse = inverse.wrapping_mul(error);
    }
    Limb::ZERO.wrapping_sub(inverse)
}

/// `t` = `a` times `b`.
fn product<const L: usize, const W: usize>(a: &[Limb; L], b: &[Limb; L], t: &mut [Limb; W]) {
    t.fill(Limb::ZERO);
    let mut window = t.as_mut_slice();
    for a in a {
        let mut carry = Limb::ZERO;
        for (t, b) in window.iter_mut().zip(b) {
            (*t, carry) = a.carrying_mul_add(*b, *t, carry);
        }
        if let Some(top) = window.get_mut(L) {
            *top = carry;
        }
        let Some((_, rest)) = window.split_first_mut() else {
            break;
        };
        window = rest;
    }
}

/// `t` = `a` squared: the products of different limbs once, doubled, and the squares of the limbs. Two rows of
/// products are added in one pass.
fn square<const L: usize, const W: usize>(a: &[Limb; L], t: &mut [Limb; W]) {
    t.fill(Limb::ZERO);
    let (_, mut window) = t.split_at_mut(1);
    let mut limbs = a.as_slice();
    while let ([a0, a1, rest @ ..], [t1, columns @ ..]) = (limbs, window) {
        let (mut carry0, mut carry1) = (Limb::ZERO, Limb::ZERO);
        (*t1, carry0) = a0.carrying_mul_add(*a1, *t1, carry0);
        let mut before = Limb::ZERO;
        for (t, a) in columns.iter_mut().zip(rest) {
            let sum;
            (sum, carry0) = a0.carrying_mul_add(*a, *t, carry0);
            (*t, carry1) = a1.carrying_mul_add(before, sum, carry1);
            before = *a;
        }
        if let Some([top0, top1, ..]) = columns.get_mut(rest.len()..) {
            (*top0, *top1) = a1.carrying_mul_add(before, carry0, carry1);
        }
        limbs = rest;
        window = columns.get_mut(3..).unwrap_or_default();
    }
    double_and_add_squares(t, a);
}

fn double_and_add_squares<const L: usize, const W: usize>(t: &mut [Limb; W], a: &[Limb; L]) {
    let (mut bit, mut carry) = (Limb::ZERO, Limb::ZERO);
    let mut pairs = t.chunks_exact_mut(2);
    for (a, pair) in a.iter().zip(pairs.by_ref()) {
        if let [low, high] = pair {
            let (square_low, square_high) = a.carrying_mul_add(*a, Limb::ZERO, Limb::ZERO);
            let (doubled_low, bit_low) = low.carrying_add(*low, bit);
            let (doubled_high, bit_high) = high.carrying_add(*high, bit_low);
            bit = bit_high;
            (*low, carry) = doubled_low.carrying_add(square_low, carry);
            (*high, carry) = doubled_high.carrying_add(square_high, carry);
        }
    }
}

#[cfg(test)]
mod tests {
    use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};

    use super::*;
    use crypto_bigint::{Odd, U2048, U3072, U4096, Uint};
    use std::vec::Vec;

    /// Numbers that look random, and the extremes that carry farthest.
    fn numbers<const L: usize>() -> Vec<Uint<L>> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut limb = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            #[expect(clippy::as_conversions, reason = "a test")]
            Limb(state as crypto_bigint::Word)
        };
        let mut numbers: Vec<Uint<L>> = (0..40)
            .map(|_| Uint::new(core::array::from_fn(|_| limb())))
            .collect();
        let mut sparse = [Limb::ZERO; L];
        sparse[L / 2] = Limb::MAX;
        numbers.extend([Uint::ZERO, Uint::ONE, Uint::MAX, Uint::new(sparse)]);
        numbers
    }

    /// Every power that the general arithmetic gives.
    fn agrees<const L: usize, const W: usize>() {
        let numbers = numbers::<L>();
        let mut tried = 0_usize;
        for modulus in numbers.iter().step_by(4) {
            let odd = *modulus | Uint::ONE | Uint::MAX.wrapping_sub(&Uint::MAX.shr_vartime(1));
            let params = FixedMontyParams::new_vartime(Odd::new(odd).unwrap());
            for exponent in [65537, 65539, 0x8000_0001, u32::MAX, 3, 2] {
                let ours = Modulus::<L, W>::new(odd.to_limbs(), exponent);
                let below = odd.wrapping_sub(&Uint::ONE);
                for base in numbers
                    .iter()
                    .step_by(9)
                    .chain([&below])
                    .filter(|it| **it < odd)
                {
                    let wide = crypto_bigint::U64::from_u64(exponent.into());
                    let expected = FixedMontyForm::new(base, &params).pow_vartime(&wide);
                    let power = Uint::new(ours.power(base.as_limbs()));
                    assert_eq!(power, expected.retrieve(), "{base} ^ {exponent} mod {odd}");
                    tried = usize::saturating_add(tried, 1);
                }
            }
        }
        assert!(tried > 200, "{tried}");
    }

    #[test]
    fn powers_of_2048_bits() {
        agrees::<{ U2048::LIMBS }, { 2 * U2048::LIMBS }>();
    }

    #[test]
    fn powers_of_3072_bits() {
        agrees::<{ U3072::LIMBS }, { 2 * U3072::LIMBS }>();
    }

    #[test]
    fn powers_of_4096_bits() {
        agrees::<{ U4096::LIMBS }, { 2 * U4096::LIMBS }>();
    }

    #[test]
    fn squares_are_products() {
        for number in numbers::<{ U2048::LIMBS }>() {
            let [mut squared, mut expected] = [[Limb::ONE; 2 * U2048::LIMBS]; 2];
            square(number.as_limbs(), &mut squared);
            product(number.as_limbs(), number.as_limbs(), &mut expected);
            assert_eq!(squared, expected);
        }
    }
}
