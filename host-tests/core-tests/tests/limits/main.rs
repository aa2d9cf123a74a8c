//! At capacity it works; one more is refused by name.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

mod each;
mod made;

use privyseal_core::cert::ChainError;
use privyseal_core::field::{Fault, Field};
use privyseal_core::limits::{
    MAX_AUDIENCE, MAX_CERTIFICATES, MAX_CHAIN_DER, MAX_COMPACT_JWS, MAX_JTI,
};
use privyseal_core::{Error, SignError};
use privyseal_test_base::clock::now;
use privyseal_test_pki::{Authority, CertificateSpec, TestKey, test_key};
use privyseal_test_suite::software_signer::SoftwareSigner;
use privyseal_test_suite::{Case, cases, mint};

/// A chain of `certificates` certificates whose leaf has `padding` bytes too many.
fn chain(key: &TestKey, certificates: usize, padding: usize) -> Vec<Vec<u8>> {
    let spec = |place: usize| CertificateSpec::authority(&format!("Test CA {place}"), None);
    let mut authorities = vec![Authority::root(test_key("root", 2048), spec(0))];
    for place in 1..certificates - 1 {
        let key = test_key(["sub", "issuing"][place % 2], 2048);
        let next = authorities.last().unwrap().subordinate(key, spec(place));
        authorities.push(next);
    }
    let leaf = CertificateSpec::seal().padded(padding);
    let leaf = authorities.last().unwrap().issue(&key.spki_der(), &leaf);
    let mut chain = vec![leaf];
    chain.extend(
        authorities
            .iter()
            .rev()
            .map(|authority| authority.certificate.clone()),
    );
    chain
}

/// Such a chain of exactly `bytes` bytes of DER.
fn chain_of_len(key: &TestKey, certificates: usize, bytes: usize) -> Vec<Vec<u8>> {
    let mut padding = 8 * 1024;
    // Serial numbers differ in length by a byte now and then, so it takes some attempts.
    for _ in 0..100 {
        let chain = chain(key, certificates, padding);
        let len: usize = chain.iter().map(Vec::len).sum();
        if len == bytes {
            return chain;
        }
        padding = padding + bytes - len;
    }
    panic!("no chain of {bytes} bytes came about");
}

#[test]
fn the_longest_chain_works_and_one_byte_more_is_refused_by_name() {
    let key = test_key("seal", 4096);
    let mut signer = SoftwareSigner::new(&key);
    let case = cases(now())[0];
    let full = chain_of_len(&key, MAX_CERTIFICATES, MAX_CHAIN_DER);
    let token = mint(&mut signer, &case, &full).unwrap();
    assert!(token.len() <= MAX_COMPACT_JWS);

    let over = chain_of_len(&key, MAX_CERTIFICATES, MAX_CHAIN_DER + 1);
    let error = mint(&mut signer, &case, &over).unwrap_err();
    let expected = ChainError::TooLong {
        len: MAX_CHAIN_DER + 1,
    };
    assert!(
        matches!(&error, SignError::Token(Error::Chain(error)) if *error == expected),
        "{error}"
    );
    assert!(error.to_string().contains("x5c"), "{error}");
}

#[test]
fn one_certificate_more_is_refused_by_name() {
    let key = test_key("seal", 2048);
    let mut signer = SoftwareSigner::new(&key);
    let over = chain(&key, MAX_CERTIFICATES + 1, 0);
    let error = mint(&mut signer, &cases(now())[0], &over).unwrap_err();
    let expected = ChainError::TooMany {
        count: MAX_CERTIFICATES + 1,
    };
    assert!(
        matches!(&error, SignError::Token(Error::Chain(error)) if *error == expected),
        "{error}"
    );
    assert!(error.to_string().contains("x5c"), "{error}");
}

/// Everything at its maximum at once fits into the buffer that the limits promise.
#[test]
fn the_longest_token_fits() {
    let key = test_key("seal", 4096);
    let chain = chain_of_len(&key, MAX_CERTIFICATES, MAX_CHAIN_DER);
    let jti = "\"".repeat(MAX_JTI);
    let client_id = format!("EU.EORI.NL{}", "9".repeat(15));
    let audience = format!("EU.EORI.NL{}", "9".repeat(15));
    let case = Case {
        client_id: &client_id,
        audience: Some(&audience),
        jti: &jti,
        ..cases(now())[0]
    };
    let token = mint(&mut SoftwareSigner::new(&key), &case, &chain).unwrap();
    assert!(token.len() <= MAX_COMPACT_JWS);
}

#[test]
fn texts_that_are_too_long_are_refused_by_name() {
    let key = test_key("seal", 2048);
    let mut signer = SoftwareSigner::new(&key);
    let chain = chain(&key, 3, 0);
    let (long_id, long_aud, long_jti) = (
        "x".repeat(256),
        "x".repeat(MAX_AUDIENCE + 1),
        "x".repeat(MAX_JTI + 1),
    );
    let case = cases(now())[0];
    let wrong = [
        (
            Field::ClientId,
            Case {
                client_id: &long_id,
                ..case
            },
        ),
        (
            Field::Audience,
            Case {
                audience: Some(&long_aud),
                ..case
            },
        ),
        (
            Field::Jti,
            Case {
                jti: &long_jti,
                ..case
            },
        ),
    ];
    for (field, case) in wrong {
        let error = mint(&mut signer, &case, &chain).unwrap_err();
        let SignError::Token(Error::Field(error)) = error else {
            panic!("{error}")
        };
        assert_eq!(error.field, field);
        assert!(matches!(error.fault, Fault::TooLong { .. }), "{error}");
    }
}
