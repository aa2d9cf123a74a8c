//! Held against the general arithmetic of `crypto-bigint`.

use std::io::{Write as _, stdout};
use std::is_x86_feature_detected;
use std::vec::Vec;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U64, Uint};

use crate::Modulus;
use crate::digits::{BITS, Digits, MASK, from_limbs, to_limbs};
use crate::product::Multiplier;

/// The sizes of RSA, each with its registers.
macro_rules! each_size {
    ($test:ident) => {
        $test::<32, 5>();
        $test::<48, 8>();
        $test::<64, 10>();
    };
}

/// Numbers that look random, and the extremes that carry farthest.
fn numbers<const L: usize>() -> Vec<Uint<L>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut limb = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut numbers: Vec<Uint<L>> = (0..40)
        .map(|_| Uint::from_words(core::array::from_fn(|_| limb())))
        .collect();
    let mut sparse = [0; L];
    sparse[L / 2] = u64::MAX;
    numbers.extend([Uint::ZERO, Uint::ONE, Uint::MAX, Uint::from_words(sparse)]);
    numbers
}

/// Moduli: odd, with their highest bit. The highest limb of the last tells least about the others.
fn moduli<const L: usize>() -> Vec<Odd<Uint<L>>> {
    let top = Uint::MAX.wrapping_sub(&Uint::MAX.shr_vartime(1));
    let odd = |number: Uint<L>| Odd::new(number | Uint::ONE | top).unwrap();
    let numbers = numbers().into_iter().step_by(3);
    let all = numbers.chain([Uint::MAX.shr_vartime(64)]);
    all.map(odd).collect()
}

/// On a processor without the instructions there is nothing to test. std says which it is: nothing must pass
/// by doing nothing on one that has them.
#[test]
fn a_modulus_is_made_where_the_processor_has_the_instructions() {
    let there = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
    let made = Modulus::<32, 5>::new(moduli()[0].to_words(), 65537).is_some();
    assert_eq!(made, there);
    if !made {
        let said = "not tested here: this processor has no AVX-512 IFMA";
        writeln!(stdout(), "{said}").unwrap();
    }
}

#[test]
fn powers_are_those_of_the_general_arithmetic() {
    each_size!(powers_agree);
}

fn powers_agree<const L: usize, const R: usize>() {
    let mut tried = 0;
    for modulus in moduli::<L>() {
        let params = FixedMontyParams::new_vartime(modulus);
        for exponent in [65537, 65539, 0x8000_0001, u32::MAX, 3, 5] {
            let Some(ours) = Modulus::<L, R>::new(modulus.to_words(), exponent) else {
                return;
            };
            let below = modulus.wrapping_sub(&Uint::ONE);
            for base in numbers()
                .iter()
                .step_by(9)
                .chain([&below])
                .filter(|it| **it < *modulus)
            {
                let wide = U64::from_u64(exponent.into());
                let expected = FixedMontyForm::new(base, &params).pow_vartime(&wide);
                let power = Uint::from_words(ours.power(&base.to_words()));
                assert_eq!(
                    power,
                    expected.retrieve(),
                    "{base} ^ {exponent} mod {modulus}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

/// Factors may be up to twice the modulus: the greatest that can meet.
#[test]
fn products_stay_below_twice_the_modulus() {
    each_size!(products_stay_below);
}

fn products_stay_below<const L: usize, const R: usize>() {
    for modulus in moduli::<L>() {
        let Some(multiplier) = Multiplier::<R>::new(&modulus.to_words()) else {
            return;
        };
        let twice = doubled(from_limbs(&modulus.to_words()));
        let mut greatest = twice;
        // The double of an odd number is not zero below.
        greatest[0][0] -= 1;
        let mut product = greatest;
        for _ in 0..8 {
            product = multiplier.product(&product, &greatest);
            assert!(product.as_flattened().iter().all(|digit| *digit <= MASK));
            let downwards = product.as_flattened().iter().rev();
            assert!(downwards.lt(twice.as_flattened().iter().rev()));
        }
    }
}

fn doubled<const R: usize>(mut digits: Digits<R>) -> Digits<R> {
    let mut carry = 0;
    for digit in digits.as_flattened_mut() {
        let sum = 2 * *digit + carry;
        (*digit, carry) = (sum & MASK, sum >> BITS);
    }
    digits
}

#[test]
fn digits_and_limbs_are_the_same_number() {
    each_size!(digits_are_limbs);
}

fn digits_are_limbs<const L: usize, const R: usize>() {
    for number in numbers::<L>() {
        let limbs = number.to_words();
        let digits: Digits<R> = from_limbs(&limbs);
        assert!(digits.as_flattened().iter().all(|digit| *digit <= MASK));
        assert_eq!(to_limbs(&digits), (limbs, false));
    }
}
