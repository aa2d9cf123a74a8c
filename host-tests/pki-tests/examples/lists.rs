//! What a revocation list of 4.6 MB costs: reading it, and each question after that.
//! `cargo run --release -p privyseal-pki-tests --example lists`

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

#[path = "../tests/online/ca.rs"]
#[allow(dead_code, reason = "its tests need more of it")]
mod ca;

use std::fmt::Write as _;
use std::time::Instant;

use privyseal::pki::crl::Crl;
use privyseal::pki::revocation::RevocationOptions;
use privyseal_check::{Revocations as _, Verdict};
use privyseal_core::cert::Certificate;

const ENTRIES: u64 = 123_000;
/// The fastest of so many batches counts: other processes disturb.
const BATCHES: u32 = 200;
const QUESTIONS: u32 = 50;

fn main() {
    let ca = ca::Ca::new("http://127.0.0.1:1");
    let leaf = ca.issue("leaf", "listed");
    let mut index = String::new();
    for entry in 0..ENTRIES {
        let serial =
            (u128::from(entry) + 1).wrapping_mul(0x4f1b_bcdc_bfa5_3e0b_9e37_79b9_7f4a_7c15) >> 1;
        writeln!(
            index,
            "R\t350101000000Z\t260101000000Z\t{serial:032X}\tunknown\t/CN=x"
        )
        .unwrap();
    }
    std::fs::write(ca.path().join("index.txt"), index).unwrap();
    let pem = ca.list(&[]);
    let start = Instant::now();
    let lists = Crl::from_bytes(&pem).unwrap();
    println!(
        "{} bytes of PEM read and indexed in {:?}",
        pem.len(),
        start.elapsed()
    );
    let now = privyseal::base::clock::now().unwrap();
    let check = RevocationOptions::files(&lists).at(now).unwrap();
    let (leaf, root) = (
        leaf.iter().next().unwrap().to_vec(),
        ca.root().iter().next().unwrap().to_vec(),
    );
    let (leaf, root) = (
        Certificate::from_der(&leaf).unwrap(),
        Certificate::from_der(&root).unwrap(),
    );
    let start = Instant::now();
    assert_eq!(check.status(&leaf, &root), Verdict::Passed);
    println!(
        "the first question, with the list's signature: {:?}",
        start.elapsed()
    );
    let batches = (0..BATCHES).map(|_| {
        let start = Instant::now();
        for _ in 0..QUESTIONS {
            assert_eq!(check.status(&leaf, &root), Verdict::Passed);
        }
        start.elapsed() / QUESTIONS
    });
    println!("each further question: {:?}", batches.min().unwrap());
}
