//! Writes what the benchmark image signs: keys of fixed seeds, digests, and the judge's signatures.
//!
//! `cargo run --example bench_cases > cases.rs`, as Rust source. The keys are made each time, so that no
//! private key, not even a worthless one, is in the repository.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "../src/tests.rs"]
#[allow(dead_code, reason = "only keys of a named size are needed here")]
mod tests;

use tests::{TestKey, digest};

const KEYS: u64 = 3;
const MESSAGES: u64 = 4;

fn main() {
    for bits in [2048, 3072, 4096] {
        println!("pub(crate) static RSA_{bits}: [Case; {KEYS}] = [");
        for seed in 1..=KEYS {
            let key = TestKey::sized(seed, bits);
            println!("Case {{ p: &{:?}, q: &{:?},", key.p, key.q);
            println!("modulus: &{:?}, signatures: &[", key.modulus);
            for number in 0..MESSAGES {
                let digest = digest(number);
                println!("({digest:?}, &{:?}),", key.judged(&digest));
            }
            println!("] }},");
        }
        println!("];");
    }
}
