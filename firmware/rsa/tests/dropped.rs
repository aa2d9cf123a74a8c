//! What is left of a key where it was, after it has been dropped.
#![expect(
    unsafe_code,
    reason = "safe Rust cannot look at memory whose value is gone"
)]

use std::mem::MaybeUninit;
use std::ptr;

use privyseal_firmware_rsa::{
    Engine, Generator as KeyGenerator, MAX_MODULUS_LEN, PrivateKey, Progress,
};

#[path = "../src/tests.rs"]
#[allow(dead_code, reason = "only a key and a generator are needed here")]
mod tests;

use tests::{Generator, TestKey};

/// How many limbs of the prime are in the memory of the value.
fn limbs_of(prime: &[u8], place: &MaybeUninit<impl Sized>) -> usize {
    let bytes = ptr::from_ref(place).cast::<u8>();
    let words: Vec<[u8; 4]> = (0..size_of_val(place) / 4)
        // SAFETY: inside the place, which was written as a whole before.
        .map(|word| unsafe { bytes.add(word * 4).cast::<[u8; 4]>().read_volatile() })
        .collect();
    prime
        .rchunks_exact(4)
        .filter(|limb| {
            let big_endian: [u8; 4] = (*limb).try_into().expect("four bytes");
            words.contains(&u32::from_be_bytes(big_endian).to_ne_bytes())
        })
        .count()
}

/// All limbs are there before the drop, none after it.
fn is_wiped<T>(value: T, p: &[u8], q: &[u8]) {
    let mut place = Box::new(MaybeUninit::new(value));
    assert_eq!(limbs_of(p, &place), p.len() / 4);
    assert_eq!(limbs_of(q, &place), q.len() / 4);
    // SAFETY: the value is there, and is not used after this.
    unsafe { place.assume_init_drop() };
    assert_eq!(limbs_of(p, &place), 0);
    assert_eq!(limbs_of(q, &place), 0);
}

fn nothing_is_left<const P: usize, const N: usize>(bits: usize) {
    let TestKey { p, q, modulus, .. } = TestKey::sized(1, bits);
    let key = || PrivateKey::<P, N>::from_primes(&p, &q, &modulus).expect("a good key");
    is_wiped(key(), &p, &q);
    let engine = Engine::new(key(), &mut Generator(1)).expect("a blinding");
    is_wiped(engine, &p, &q);
}

#[test]
fn nothing_is_left_of_a_dropped_key_or_engine() {
    nothing_is_left::<32, 64>(2048);
    nothing_is_left::<48, 96>(3072);
    nothing_is_left::<64, 128>(4096);
}

#[test]
fn nothing_is_left_of_a_dropped_generator_at_any_stage() {
    let finished = until(Progress::Done);
    let mut out = [0; MAX_MODULUS_LEN];
    let (p, q) = finished.key().expect("a key").primes(&mut out);
    // The same seed finds the same primes: first as candidates, then in the key.
    is_wiped(until(Progress::Testing), p, q);
    is_wiped(finished, p, q);
}

/// A generator that has come so far.
fn until(progress: Progress) -> KeyGenerator<32, 64> {
    let (mut generator, mut random) = (KeyGenerator::new(), Generator(1));
    while generator.step(&mut random).expect("random bytes") != progress {}
    generator
}
