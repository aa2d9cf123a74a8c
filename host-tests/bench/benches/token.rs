//! What a token costs besides its RSA operation: header, claims, SHA-256, and the finished text.
//!
//! All three build the same token (asserted): four certificates (the public iSHARE chain), the same claims,
//! and a signature that is there already. Each does what it must for every token and has done before what
//! it can do once: jsonwebtoken and josekit keep their header ready, privyseal its credential. Each hashes
//! what it signs, with the same SHA-256; "without hashing" shows what remains of jsonwebtoken then, for
//! comparison only.

mod token {
    pub(crate) mod josekit;
    pub(crate) mod jsonwebtoken;
    pub(crate) mod privyseal;
    pub(crate) mod subject;
}

use std::path::PathBuf;
use std::{env, fs};

use criterion::{Criterion, criterion_group};
use serde_json::Value;
use token::subject::{CHAIN, SIGNATURE, assert_same};

fn tokens(criterion: &mut Criterion) {
    let jsonwebtoken = token::jsonwebtoken::Library::new(&CHAIN);
    let josekit = token::josekit::Library::new(&CHAIN);
    let credential = token::privyseal::credential(&CHAIN);
    let mut buffer = vec![0; privyseal_core::limits::MAX_COMPACT_JWS];

    let expected = token::privyseal::token(&credential, &SIGNATURE, &mut buffer);
    let expected = String::from_utf8(expected.to_vec()).expect("a token is ASCII");
    assert_same(&expected, &jsonwebtoken.token(true));
    assert_same(&expected, &josekit.token());

    let mut group = criterion.benchmark_group("token");
    group.bench_function("privyseal", |bencher| {
        bencher.iter(|| token::privyseal::token(&credential, &SIGNATURE, &mut buffer).len());
    });
    group.bench_function("jsonwebtoken", |bencher| {
        bencher.iter(|| jsonwebtoken.token(true))
    });
    group.bench_function("josekit", |bencher| bencher.iter(|| josekit.token()));
    group.bench_function("jsonwebtoken without hashing", |bencher| {
        bencher.iter(|| jsonwebtoken.token(false));
    });
    group.finish();
}

criterion_group!(benches, tokens);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    let ours = median("privyseal");
    println!("\na token of four certificates, without its RSA operation (medians):");
    println!("{:<30} {:>8.2} us", "privyseal", ours / 1000.0);
    for name in ["jsonwebtoken", "josekit", "jsonwebtoken without hashing"] {
        let theirs = median(name);
        println!(
            "{name:<30} {:>8.2} us {:>7.1} x",
            theirs / 1000.0,
            theirs / ours
        );
    }
}

/// Nanoseconds of one token, as criterion has just written them.
fn median(name: &str) -> f64 {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = PathBuf::from(target).join("criterion/token").join(name);
    let text = fs::read(folder.join("new/estimates.json")).expect("estimates");
    let estimates: Value = serde_json::from_slice(&text).expect("JSON");
    estimates["median"]["point_estimate"]
        .as_f64()
        .expect("a median")
}
