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

use criterion::{Criterion, criterion_group, criterion_main};
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
criterion_main!(benches);
