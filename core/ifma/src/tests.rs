//! Held against the general arithmetic of `crypto-bigint`.

use std::io::{Write as _, stdout};
use std::is_x86_feature_detected;
use std::vec::Vec;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U64, U2048};

use crate::digits::{BITS, Digits, MASK, from_limbs, to_limbs};
use crate::product::Multiplier;
use crate::{LIMBS, Modulus, Number};

/// Numbers that look random, and the extremes that carry farthest.
fn numbers() -> Vec<U2048> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut limb = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut numbers: Vec<U2048> = (0..40)
        .map(|_| U2048::from_words(core::array::from_fn(|_| limb())))
        .collect();
    let mut sparse = [0; LIMBS];
    sparse[LIMBS / 2] = u64::MAX;
    numbers.extend([
        U2048::ZERO,
        U2048::ONE,
        U2048::MAX,
        U2048::from_words(sparse),
    ]);
    numbers
}

/// Moduli: odd, with their highest bit.
fn moduli() -> Vec<Odd<U2048>> {
    let top = U2048::ONE.shl_vartime(2047);
    let odd = |number: U2048| Odd::new(number | U2048::ONE | top).unwrap();
    numbers().into_iter().step_by(3).map(odd).collect()
}

/// On a processor without the instructions there is nothing to test. std says which it is: nothing must pass
/// by doing nothing on one that has them.
#[test]
fn a_modulus_is_made_where_the_processor_has_the_instructions() {
    let there = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
    let made = Modulus::new(moduli()[0].to_words(), 65537).is_some();
    assert_eq!(made, there);
    if !made {
        let said = "not tested here: this processor has no AVX-512 IFMA";
        writeln!(stdout(), "{said}").unwrap();
    }
}

#[test]
fn powers_are_those_of_the_general_arithmetic() {
    let mut tried = 0;
    for modulus in moduli() {
        let params = FixedMontyParams::new_vartime(modulus);
        for exponent in [65537, 65539, 0x8000_0001, u32::MAX, 3, 2] {
            let Some(ours) = Modulus::new(modulus.to_words(), exponent) else {
                return;
            };
            let below = modulus.wrapping_sub(&U2048::ONE);
            for base in numbers()
                .iter()
                .step_by(9)
                .chain([&below])
                .filter(|it| **it < *modulus)
            {
                let wide = U64::from_u64(exponent.into());
                let expected = FixedMontyForm::new(base, &params).pow_vartime(&wide);
                let power = U2048::from_words(ours.power(&base.to_words()));
                assert_eq!(
                    power,
                    expected.retrieve(),
                    "{base} ^ {exponent} mod {modulus}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
}

/// Factors may be up to twice the modulus: the greatest that can meet.
#[test]
fn products_stay_below_twice_the_modulus() {
    for modulus in moduli() {
        let Some(multiplier) = Multiplier::new(&modulus.to_words()) else {
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

fn doubled(mut digits: Digits) -> Digits {
    let mut carry = 0;
    for digit in digits.as_flattened_mut() {
        let sum = 2 * *digit + carry;
        (*digit, carry) = (sum & MASK, sum >> BITS);
    }
    digits
}

#[test]
fn digits_and_limbs_are_the_same_number() {
    for number in numbers() {
        let limbs: Number = number.to_words();
        let digits = from_limbs(&limbs);
        assert!(digits.as_flattened().iter().all(|digit| *digit <= MASK));
        assert_eq!(to_limbs(&digits), (limbs, false));
    }
}
