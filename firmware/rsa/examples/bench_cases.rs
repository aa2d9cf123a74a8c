//! Writes what the benchmark image signs and unwraps: keys of fixed seeds, digests and the judge's signatures, and what
//! the judge has encrypted.
//!
//! `cargo run --example bench_cases > cases.rs`, as Rust source. The keys are made each time, so that no
//! private key, not even a worthless one, is in the repository.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "../src/tests.rs"]
#[allow(dead_code, reason = "only keys of a named size are needed here")]
mod tests;

use crypto_bigint::{BoxedUint, Resize as _};
use rsa::{Oaep, RsaPrivateKey};
use sha2::Sha256;
use tests::{Generator, TestKey, digest};

const MESSAGES: u64 = 4;

/// Of each size: how far the largest prime that a key can have is below the power of two, and the smallest one above
/// the whole part of the root of 2^(bits - 1), which is the least that FIPS 186-5 (A.1.3) allows.
const EXTREMES: [(u32, u64, u64); 3] = [(2048, 105, 37), (3072, 3453, 1689), (4096, 1557, 3428)];

fn main() {
    for (bits, below, above) in EXTREMES {
        let size = usize::try_from(bits).expect("a size");
        let keys = [
            TestKey::sized(1, size),
            TestKey::sized(2, size),
            TestKey::sized(3, size),
            extreme(bits, below, above),
        ];
        println!("pub(crate) static RSA_{bits}: [Case; {}] = [", keys.len());
        for key in keys {
            println!("Case {{ p: &{:?}, q: &{:?},", key.p, key.q);
            println!("modulus: &{:?}, signatures: &[", key.modulus);
            for number in 0..MESSAGES {
                let digest = digest(number);
                println!("({digest:?}, &{:?}),", key.judged(&digest));
            }
            println!("], wrapped: &[");
            for (ciphertext, plain) in wrapped(&key) {
                println!("(&{ciphertext:?}, &{plain:?}),");
            }
            println!("] }},");
        }
        println!("];");
    }
}

/// Ciphertexts, and the content keys in them; nothing where the padding is wrong, or is none.
fn wrapped(key: &TestKey) -> Vec<(Vec<u8>, Vec<u8>)> {
    let public = key.judge.to_public_key();
    let mut generator = Generator(9);
    let mut wrap = |padding: Oaep<Sha256>, len: u8| {
        let plain: Vec<u8> = (1..=len).collect();
        let wrapped = public.encrypt(&mut generator, padding, &plain);
        (wrapped.expect("it fits"), plain)
    };
    let mut all: Vec<_> = [16, 64].map(|len| wrap(Oaep::new(), len)).into();
    for (padding, len) in [
        (Oaep::new_with_label(*b"label"), 16),
        (Oaep::new(), 0),
        (Oaep::new(), 17),
        (Oaep::new(), 190),
    ] {
        all.push((wrap(padding, len).0, Vec::new()));
    }
    all.push((key.judged(&digest(1)), Vec::new()));
    all
}

/// A key of the largest and the smallest prime.
fn extreme(bits: u32, below: u64, above: u64) -> TestKey {
    let one = BoxedUint::one_with_precision(bits);
    let largest = one.shl(bits / 2).wrapping_sub(BoxedUint::from(below));
    let root = one.shl(bits - 1).floor_sqrt();
    let smallest = root.wrapping_add(BoxedUint::from(above));
    let [p, q] = [largest, smallest].map(|prime| prime.resize(bits / 2));
    let judge = RsaPrivateKey::from_p_q(p, q, BoxedUint::from(65537_u64));
    TestKey::of(judge.expect("a key"))
}
