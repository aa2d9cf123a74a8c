use rsa::traits::PrivateKeyParts;

use super::*;
use crate::PRIME_LEN;
use crate::limbs::{from_bytes, to_bytes};
use crate::testing::TestKey;

fn limbs(bytes: &[u8; PRIME_LEN]) -> [Limb; HALF] {
    let mut limbs = [0; HALF];
    from_bytes(bytes, &mut limbs);
    limbs
}

#[test]
fn the_private_exponents_are_those_of_the_judge() {
    for seed in 1..4 {
        let key = TestKey::new(seed);
        let judged = [key.judge.dp(), key.judge.dq()];
        for (prime, judged) in [&key.p, &key.q].into_iter().zip(judged) {
            let mut bytes = [0; PRIME_LEN];
            let exponent = private_exponent(&limbs(prime)).expect("an inverse");
            to_bytes(&exponent, &mut bytes);
            assert_eq!(bytes, *judged.expect("an exponent").to_be_bytes());
        }
    }
}

#[test]
fn a_prime_that_the_public_exponent_divides_less_one_has_no_exponent() {
    // 65537 * 2^1007 + 1 has 1024 bits; whether it is a prime does not matter here.
    let mut p = Modulus::<HALF>::ONE;
    for (limb, value) in p.iter_mut().skip(31).zip([0x8000_8000_u32]) {
        *limb = value;
    }
    assert_eq!(private_exponent(&p), None);
}

#[test]
fn small_residues_are_those_of_a_division() {
    let e = u64::from(PUBLIC_EXPONENT);
    let edges = [0, 1, 65_535, 65_536, 65_537, 65_538, 1 << 32, (1 << 48) - 1];
    let spread = (0..1000_u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16);
    for x in edges.into_iter().chain(spread) {
        assert_eq!(u64::from(small_modulo(x)), x % e, "{x}");
    }
}

#[test]
fn far_apart_means_by_more_than_924_bits() {
    let x = limbs(&[0x80; PRIME_LEN]);
    for (bit, far) in [(0, false), (923, false), (924, true), (1000, true)] {
        let mut y = x;
        y[bit / 32] += 1 << (bit % 32);
        assert_eq!(are_far_apart(&x, &y), far, "{bit}");
        assert_eq!(are_far_apart(&y, &x), far, "{bit}");
    }
    assert!(!are_far_apart(&x, &x));
}
