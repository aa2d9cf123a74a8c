use std::format;
use std::vec::Vec;

use crypto_bigint::{BoxedUint, ConcatenatingMul};
use crypto_primes::{Flavor, is_prime};
use rand_core::TryRng;

use super::*;
use crate::limbs::to_bytes;
use crate::tests;

/// A number in the hands of the judge.
fn judged(bytes: &[u8]) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(bytes)
}

fn judged_limbs<const P: usize>(limbs: &[Limb; P]) -> BoxedUint {
    let mut out = [0; MAX_MODULUS_LEN];
    judged(to_bytes(limbs, &mut out).0)
}

/// The primes of a new key.
fn primes(seed: u64) -> [Vec<u8>; 2] {
    let (mut generator, mut rng) = (Generator::<32, 64>::new(), tests::Generator(seed));
    while generator.step(&mut rng) != Ok(Progress::Done) {
        assert!(generator.key().is_none());
    }
    let mut out = [0; MAX_MODULUS_LEN];
    let (p, q) = generator.key().expect("a key").primes(&mut out);
    [p.into(), q.into()]
}

#[test]
fn the_sieve_finds_each_small_factor_and_no_other() {
    let product = |factor: u32, cofactor: &[Limb; 32]| {
        let mut carry = 0;
        cofactor.map(|limb| {
            let low;
            (low, carry) = crate::limbs::mac(limb, factor, carry, 0);
            low
        })
    };
    // A prime below 2^992, so that products stay below 2^1024.
    let mut cofactor = [0; 32];
    let mut rng = tests::Generator(9);
    while !is_prime(Flavor::Any, &judged_limbs(&cofactor)) {
        draw(&mut rng, &mut cofactor).expect("random bits");
        cofactor[0] |= 1;
        cofactor[31] = 0;
    }
    let is_small_prime = |number: &u32| is_prime(Flavor::Any, &BoxedUint::from(*number));
    let small: Vec<u32> = (3..1 << 16).filter(is_small_prime).collect();
    let (largest, sieved) = small.split_last().expect("primes");
    assert!(
        sieved
            .iter()
            .all(|&prime| sieve::has_small_factor(&product(prime, &cofactor)))
    );
    for number in [1, 2, *largest, 65_537] {
        assert!(
            !sieve::has_small_factor(&product(number, &cofactor)),
            "{number}"
        );
    }
    assert!(sieve::has_small_factor(&product(65_535, &cofactor)));
}

/// Whether `w` passes one round, and whether the judge takes it for a prime.
fn verdicts(w: &[Limb; 32]) -> [bool; 2] {
    let Ok(passes) = witness::passes(w, &mut tests::Generator(3));
    [passes, is_prime(Flavor::Any, &judged_limbs(w))]
}

#[test]
fn one_round_tells_primes_from_composites_whatever_divides_w_less_one() {
    let mut rng = tests::Generator(4);
    for zeros in [1, 2, 3, 9, 20, 31] {
        let mut primes = 0;
        while primes < 2 {
            let mut w = [0; 32];
            draw(&mut rng, &mut w).expect("random bits");
            w[31] |= 1 << 31;
            w[0] = (w[0] | 1) << zeros | 1;
            if sieve::has_small_factor(&w) {
                continue;
            }
            let [passes, is_prime] = verdicts(&w);
            assert_eq!(passes, is_prime, "{zeros} zeros");
            primes += u32::from(is_prime);
        }
    }
}

/// With this k, 6 k + 1, 12 k + 1 and 18 k + 1 are primes. Their product is a Carmichael number, which passes
/// Fermat's test to every base without a common factor.
const K: [Limb; 11] = [
    0x6bc6_32fe,
    0xcd50_9afa,
    0xc0d2_37a0,
    0x553c_5ae7,
    0x3502_c881,
    0xc1ac_3d7d,
    0xed1d_901e,
    0x7439_46b8,
    0x4fc7_8883,
    0x0e47_47e3,
    0x0003_03d5,
];

#[allow(clippy::many_single_char_names)] // those of the equations
#[test]
fn a_carmichael_number_does_not_pass() {
    let k = judged_limbs(&K);
    let [a, b, c] = [6_u64, 12, 18].map(|times| &k * BoxedUint::from(times) + BoxedUint::one());
    assert!(
        [&a, &b, &c]
            .iter()
            .all(|factor| is_prime(Flavor::Any, *factor))
    );
    let bytes = a.concatenating_mul(&b).concatenating_mul(&c).to_be_bytes();
    let (above, product) = bytes.split_at(bytes.len() - 128);
    assert!(above.iter().all(|byte| *byte == 0));
    let mut w = [0; 32];
    crate::limbs::from_bytes(product, &mut w);
    assert_eq!(w[31] >> 31, 1);
    assert_eq!(verdicts(&w), [false, false]);
}

/// A generator whose noise source is stuck, or fails.
struct Broken<T>(T);

impl<T: FnMut(&mut [u8]) -> Result<(), fmt::Error>> TryRng for Broken<T> {
    type Error = fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, fmt::Error> {
        Err(fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, fmt::Error> {
        Err(fmt::Error)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), fmt::Error> {
        self.0(bytes)
    }
}

impl<T: FnMut(&mut [u8]) -> Result<(), fmt::Error>> TryCryptoRng for Broken<T> {}

#[test]
fn a_stuck_generator_comes_to_an_end() {
    let [prime, _] = primes(1);
    // Too small, divisible by 3, and always the same prime: the second must be another.
    for (bytes, candidates) in [
        (Vec::from([0; 128]), 10_240),
        (Vec::from([0xff; 128]), 10_240),
        (prime, 20_480),
    ] {
        let mut stuck = Broken(|out: &mut [u8]| {
            out.copy_from_slice(&bytes[..out.len()]);
            Ok(())
        });
        let mut generator = Generator::<32, 64>::new();
        let error = loop {
            if let Err(error) = generator.step(&mut stuck) {
                break error;
            }
        };
        assert_eq!(error, GenerateError::Exhausted(candidates));
        assert_eq!(generator.step(&mut stuck), Err(GenerateError::Fault));
        assert!(generator.key().is_none());
        assert_eq!([generator.p, generator.q], [[0; 32]; 2]);
    }
}

#[test]
fn without_random_bytes_it_waits_and_loses_nothing() {
    let (mut generator, mut rng) = (Generator::<32, 64>::new(), tests::Generator(100));
    let mut asked = 0_u32;
    let mut failing = Broken(|out: &mut [u8]| {
        asked += 1;
        if asked.is_multiple_of(3) {
            return Err(fmt::Error);
        }
        rng.try_fill_bytes(out).map_err(|never| match never {})
    });
    let mut failed = 0;
    loop {
        match generator.step(&mut failing) {
            Ok(Progress::Done) => break,
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, GenerateError::Random(fmt::Error));
                failed += 1;
            }
        }
    }
    assert!(failed > 100, "{failed}");
    let mut out = [0; MAX_MODULUS_LEN];
    let (p, q) = generator.key().expect("a key").primes(&mut out);
    assert!(
        [p, q]
            .iter()
            .all(|prime| is_prime(Flavor::Any, &judged(prime)))
    );
}

#[test]
fn a_fault_after_the_search_wipes_everything() {
    type Fault = fn(&mut Generator<32, 64>);
    let faults: [(Stage, Fault); 4] = [
        (Stage::Assemble, |generator| generator.p[7] ^= 1 << 5),
        (Stage::Assemble, |generator| generator.q = generator.p),
        (Stage::Blind, |generator| generator.engine.latch()),
        (Stage::Sign, |generator| generator.engine.spoil()),
    ];
    for (stage, disturb) in faults {
        let (mut generator, mut rng) = (Generator::<32, 64>::new(), tests::Generator(1));
        while generator.stage != stage {
            generator.step(&mut rng).expect("random bytes");
        }
        disturb(&mut generator);
        for _ in 0..2 {
            assert_eq!(
                generator.step(&mut rng),
                Err(GenerateError::Fault),
                "{stage:?}"
            );
            assert_eq!([generator.p, generator.q], [[0; 32]; 2]);
            assert!(generator.engine.is_latched() && generator.key().is_none());
        }
    }
}

#[test]
fn debugging_shows_how_far_it_is_and_nothing_else() {
    assert_eq!(
        format!("{:?}", Generator::<32, 64>::new()),
        "Generator { progress: Searching { prime: P, candidates: 0 }, .. }"
    );
}
