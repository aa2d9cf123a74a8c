use std::format;
use std::vec::Vec;

use core::convert::Infallible;

use rand_core::TryRng;
use rsa::Oaep;
use rsa::traits::PaddingScheme;
use sha2::{Sha256, Sha512};

use super::*;
use crate::MAX_MODULUS_LEN;
use crate::blinding::USES;
use crate::tests::{Generator, TestKey, digest};

fn engine(key: &TestKey) -> Engine<32, 64> {
    let private = PrivateKey::from_primes(&key.p, &key.q, &key.modulus).expect("a good key");
    Engine::new(private, &mut Generator(7)).expect("a blinding")
}

/// Signs with so many keys of one size, so many digests.
fn are_those_of_the_judge<const P: usize, const N: usize>(bits: usize, keys: u64, digests: u32) {
    for seed in 1..=keys {
        let key = TestKey::sized(seed, bits);
        let private = PrivateKey::<P, N>::from_primes(&key.p, &key.q, &key.modulus);
        let mut engine = Engine::unblinded(private.expect("a good key"));
        let mut generator = Generator(seed);
        let mut out = [0; MAX_MODULUS_LEN];
        for number in 0..u64::from(digests) {
            let (digest, judged) = (digest(number), key.judged(&digest(number)));
            let signature = engine.sign(&digest, &mut generator, &mut out);
            assert_eq!(
                signature,
                Ok(&*judged),
                "{bits}, key {seed}, digest {number}"
            );
        }
    }
}

#[test]
fn signatures_are_those_of_the_judge_across_many_blindings() {
    are_those_of_the_judge::<32, 64>(2048, 3, USES + 20);
}

#[test]
fn signatures_of_larger_keys_are_those_of_the_judge() {
    are_those_of_the_judge::<48, 96>(3072, 1, 10);
    are_those_of_the_judge::<64, 128>(4096, 1, 5);
}

/// A content key, encrypted by the judge.
fn encrypted(key: &TestKey, padding: impl PaddingScheme, plain: &[u8]) -> Vec<u8> {
    let public = key.judge.to_public_key();
    let encrypted = public.encrypt(&mut Generator(11), padding, plain);
    encrypted.expect("it fits")
}

/// Unwraps with a key of one size.
fn unwraps<const P: usize, const N: usize>(bits: usize) {
    let key = TestKey::sized(4, bits);
    let private = PrivateKey::<P, N>::from_primes(&key.p, &key.q, &key.modulus);
    let mut engine = Engine::unblinded(private.expect("a good key"));
    let mut generator = Generator(8);
    for len in [16, 24, 32, 48, 64] {
        let plain: Vec<u8> = (1..).take(len).collect();
        let wrapped = encrypted(&key, Oaep::<Sha256>::new(), &plain);
        let mut out = [0xaa; MAX_MODULUS_LEN];
        let unwrapped = engine.unwrap_key(&wrapped, &mut generator, &mut out);
        assert_eq!(unwrapped, Ok(Some(&*plain)), "{bits}, {len} bytes");
        let left = out.iter().filter(|byte| **byte != 0).count();
        assert_eq!(left, len, "and nothing else stays");
    }
    let plain = [7; 32];
    let good = encrypted(&key, Oaep::<Sha256>::new(), &plain);
    let mut changed = good.clone();
    changed[bits / 16] ^= 1;
    for (what, wrapped) in [
        (
            "another hash",
            encrypted(&key, Oaep::<Sha512>::new(), &plain),
        ),
        (
            "a label",
            encrypted(&key, Oaep::<Sha256>::new_with_label(*b"x"), &plain),
        ),
        (
            "no key's length",
            encrypted(&key, Oaep::<Sha256>::new(), &plain[1..]),
        ),
        ("another scheme", key.judged(&digest(5))),
        ("zero", std::vec![0; bits / 8]),
        ("the modulus", key.modulus.clone()),
        ("above the modulus", std::vec![0xff; bits / 8]),
        ("a bit changed", changed),
        ("short", good[1..].to_vec()),
        ("long", [&good[..], &[0]].concat()),
        ("nothing", Vec::new()),
    ] {
        let mut out = [0xaa; MAX_MODULUS_LEN];
        let unwrapped = engine.unwrap_key(&wrapped, &mut generator, &mut out);
        assert_eq!(unwrapped, Ok(None), "{bits}: {what}");
        assert_eq!(out, [0; MAX_MODULUS_LEN], "{bits}: {what}");
    }
    assert!(!engine.is_latched());
    engine.key.q_inverse[3] ^= 1;
    let mut out = [0xaa; MAX_MODULUS_LEN];
    for error in [SignError::Fault, SignError::Latched] {
        let unwrapped = engine.unwrap_key(&good, &mut generator, &mut out);
        assert_eq!(unwrapped, Err(error));
        assert_eq!(out, [0; MAX_MODULUS_LEN]);
    }
}

#[test]
fn content_keys_of_each_size_and_length_come_out_and_nothing_else() {
    unwraps::<32, 64>(2048);
    unwraps::<48, 96>(3072);
    unwraps::<64, 128>(4096);
}

#[test]
fn without_a_key_an_engine_is_latched() {
    let mut engine = Engine::<32, 64>::EMPTY;
    let mut out = [0xaa; MAX_MODULUS_LEN];
    let signed = engine.sign(&digest(0), &mut Generator(0), &mut out);
    assert_eq!(signed, Err(SignError::Latched));
    assert!(engine.import(&[0; 128], &[0; 128], &[0; 256]).is_err());
    assert!(engine.is_latched());
}

#[test]
fn every_signature_has_its_own_blinding() {
    let mut engine = engine(&TestKey::new(1));
    let mut generator = Generator(3);
    let mut seen = Vec::new();
    for _ in 0..USES * 2 {
        let mut out = [0; MAX_MODULUS_LEN];
        assert!(engine.sign(&digest(2), &mut generator, &mut out).is_ok());
        assert!(!seen.contains(&engine.blinding.factor));
        seen.push(engine.blinding.factor);
    }
}

/// Signs with something broken first: no signature, no key, and never again.
fn latches(name: &str, breaks: impl FnOnce(&mut Engine<32, 64>)) {
    let key = TestKey::new(2);
    let mut engine = engine(&key);
    let mut generator = Generator(5);
    let mut out = [0; MAX_MODULUS_LEN];
    assert!(engine.sign(&digest(3), &mut generator, &mut out).is_ok());
    breaks(&mut engine);
    out.fill(0xaa);
    let fault = engine.sign(&digest(4), &mut generator, &mut out);
    assert_eq!(fault, Err(SignError::Fault), "{name}");
    assert_eq!(out, [0; MAX_MODULUS_LEN], "{name}");
    assert!(engine.is_latched());
    assert_eq!(engine.key.p.modulus.limbs(), &[0; 32], "{name}");
    assert_eq!(engine.blinding.remover, [0; 64], "{name}");
    out.fill(0xaa);
    let again = engine.sign(&digest(4), &mut generator, &mut out);
    assert_eq!(again, Err(SignError::Latched), "{name}");
    assert_eq!(out, [0; MAX_MODULUS_LEN], "{name}");
    assert_eq!(engine.reseed(&mut generator), Err(SignError::Latched));
}

#[test]
fn a_fault_in_any_secret_latches_and_releases_nothing() {
    for limb in [0, 13, 31] {
        latches("dP", |engine| engine.key.p.exponent[limb] ^= 0x10);
        latches("dQ", |engine| engine.key.q.exponent[limb] ^= 0x0100);
        latches("qInv", |engine| engine.key.q_inverse[limb] ^= 1);
        latches("A", |engine| engine.blinding.factor[limb] ^= 1 << 31);
        latches("A^-d", |engine| engine.blinding.remover[limb + 32] ^= 1);
    }
}

#[test]
fn a_fault_while_reseeding_latches() {
    let mut engine = engine(&TestKey::new(2));
    engine.key.q.exponent[5] ^= 1;
    assert_eq!(engine.reseed(&mut Generator(5)), Err(SignError::Fault));
    assert!(engine.is_latched());
}

#[test]
fn a_flipped_state_means_latched() {
    for bit in 0..32 {
        let mut engine = engine_without_seed();
        engine.state ^= 1 << bit;
        let mut out = [1; MAX_MODULUS_LEN];
        let refused = engine.sign(&digest(0), &mut Generator(0), &mut out);
        assert_eq!(refused, Err(SignError::Latched));
        assert_eq!(out, [0; MAX_MODULUS_LEN]);
    }
}

/// An engine that could sign after its first reseeding.
fn engine_without_seed() -> Engine<32, 64> {
    let key = TestKey::new(2);
    Engine {
        key: PrivateKey::from_primes(&key.p, &key.q, &key.modulus).expect("a good key"),
        blinding: Blinding::EMPTY,
        state: READY,
    }
}

/// A generator that has nothing to give.
struct Dry;

impl TryRng for Dry {
    type Error = fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(fmt::Error)
    }
}

impl TryCryptoRng for Dry {}

#[test]
fn without_random_bytes_a_worn_engine_waits_and_does_not_latch() {
    let key = TestKey::new(3);
    let mut engine = engine(&key);
    let mut out = [0; MAX_MODULUS_LEN];
    for number in 0..u64::from(USES) {
        // The generator is not asked while the blinding lasts.
        assert!(engine.sign(&digest(number), &mut Dry, &mut out).is_ok());
    }
    let refused = engine.sign(&digest(9), &mut Dry, &mut out);
    assert_eq!(refused, Err(SignError::Random(fmt::Error)));
    assert_eq!(out, [0; MAX_MODULUS_LEN]);
    assert!(!engine.is_latched());
    let signed = engine.sign(&digest(9), &mut Generator(1), &mut out);
    assert_eq!(signed, Ok(&*key.judged(&digest(9))));
}

/// A generator whose noise source is stuck.
struct Stuck(u8);

impl TryRng for Stuck {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_ne_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_ne_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

#[test]
fn a_generator_of_zeros_is_a_fault() {
    let key = TestKey::new(3);
    let private = PrivateKey::from_primes(&key.p, &key.q, &key.modulus).expect("a good key");
    let refused = Engine::<32, 64>::new(private, &mut Stuck(0)).map(|_| ());
    assert_eq!(refused, Err(SignError::Fault));
}

#[test]
fn debugging_shows_the_state_and_no_part_of_the_key() {
    assert_eq!(
        format!("{:?}", engine(&TestKey::new(1))),
        "Engine { key: PrivateKey { RSA-2048, .. }, latched: false, .. }"
    );
}
