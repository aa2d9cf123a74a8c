use rsa::traits::PrivateKeyParts;

use super::*;
use crate::limbs::{from_bytes, to_bytes};
use crate::tests::TestKey;

fn limbs(bytes: &[u8]) -> [Limb; 32] {
    let mut limbs = [0; 32];
    from_bytes(bytes, &mut limbs);
    limbs
}

#[test]
fn the_private_exponents_are_those_of_the_judge() {
    for seed in 1..4 {
        let key = TestKey::new(seed);
        let judged = [key.judge.dp(), key.judge.dq()];
        for (prime, judged) in [&key.p, &key.q].into_iter().zip(judged) {
            let mut bytes = [0; 128];
            let mut exponent = [0; 32];
            assert!(private_exponent(&limbs(prime), &mut exponent));
            to_bytes(&exponent, &mut bytes);
            assert_eq!(bytes, *judged.expect("an exponent").to_be_bytes());
        }
    }
}

#[test]
fn a_prime_that_the_public_exponent_divides_less_one_has_no_exponent() {
    // 65537 * 2^1007 + 1 has 1024 bits; whether it is a prime does not matter here.
    let mut p = Modulus::<32>::ONE;
    for (limb, value) in p.iter_mut().skip(31).zip([0x8000_8000_u32]) {
        *limb = value;
    }
    assert!(!private_exponent(&p, &mut [0; 32]));
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
    let x = limbs(&[0x80; 128]);
    for (bit, far) in [(0, false), (923, false), (924, true), (1000, true)] {
        let mut y = x;
        y[bit / 32] += 1 << (bit % 32);
        assert_eq!(are_far_apart(&x, &y), far, "{bit}");
        assert_eq!(are_far_apart(&y, &x), far, "{bit}");
    }
    assert!(!are_far_apart(&x, &x));
}

/// Primes g a + 1 and g b + 1 with a and b of 12 bits: the lcm of both less one has 1036 bits, and d 1020.
const OF_SMALL_EXPONENT: [&str; 2] = [
    "d2415f925a66fe83f9640eb2e08e6f3fdab4890d30fe0e2663dcb5bd008ce9169eaf889f57d6b678714b2a\
         383a0862bc4050f28f4fd1bb4550d84732ce209e5d3e244b69b9dd7489947282448789cb065673e1bb264a\
         ad195ee25502c6956a33f0828c9c26f6b42811259f4a66a208b4a66f2ae45d0e16d2c44b62208bbb4b59",
    "aa22c2cbdd52c752160c0a248a6d206ab5da13b55c9ecb3725166b27eaedfd18bef3bd2c5055ad9bf0d8ef\
         d06e016819bcd4dc0b23a144a9ec3b2caa74a23e791bf496d6c58f1c108220fd84f285e444ecd41b4b721b\
         c72cdc22492af6a10f12d3011fe83f0d4e2b0df008cecfc3f9c8e83f6f9392e9f0517c00346223631481",
];

fn prime(limbs: &[Limb; 32]) -> PrimeModulus<32> {
    let mut prime = PrimeModulus::EMPTY;
    prime.set(limbs, Prime::P).expect("a prime");
    prime
}

#[test]
fn a_small_private_exponent_is_noticed() {
    let primes = OF_SMALL_EXPONENT.map(|hex| {
        let hex = hex
            .as_bytes()
            .rchunks(8)
            .map(|digits| std::str::from_utf8(digits).expect("ASCII"));
        let mut limbs = [0; 32];
        for (limb, digits) in limbs.iter_mut().zip(hex) {
            *limb = Limb::from_str_radix(digits, 16).expect("hexadecimal");
        }
        prime(&limbs)
    });
    let [p, q] = &primes;
    assert!(!is_exponent_large(p, q) && !is_exponent_large(q, p));
    let test = TestKey::new(1);
    let large = [&test.p, &test.q].map(|bytes| prime(&limbs(bytes)));
    assert!(is_exponent_large(&large[0], &large[1]) && is_exponent_large(p, &large[1]));
}
