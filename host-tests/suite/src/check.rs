//! The checks of the suite.

use std::fmt;

use privyseal_core::limits::MAX_COMPACT_JWS;
use privyseal_core::{Error, SignError, Signature, Signer};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::json;

use super::{Case, cases, credential, mint, request};
use privyseal_test_judges::decode::{Parts, to_base64};
use privyseal_test_pki::{TestPki, test_key};

/// Has `signer` sign everything that the suite asks for, with a `chain` (DER) for its key that is valid
/// at `now` (seconds since the epoch); gives the tokens.
///
/// # Panics
/// If the signer does not do what every signer must.
pub fn run<S: Signer>(signer: &mut S, chain: &[Vec<u8>], now: u64) -> Vec<String> {
    refuses_a_chain_for_another_key(signer, now);
    let cases = cases(now);
    let tokens = cases
        .iter()
        .map(|case| signs(signer, case, chain))
        .collect();
    for case in &cases {
        is_deterministic(signer, case, chain);
        signs_in_two_steps(signer, case, chain);
        refuses_a_broken_signature(signer, case, chain);
    }
    tokens
}

fn refuses_a_chain_for_another_key<S: Signer>(signer: &mut S, now: u64) {
    let chain = TestPki::new().seal_chain(&test_key("stranger", 2048));
    for case in cases(now) {
        let error = mint(signer, &case, &chain).expect_err("the chain is another key's");
        assert!(
            matches!(error, SignError::Token(Error::KeyMismatch)),
            "{error}"
        );
    }
}

/// One token, judged by ring and `serde_json`.
fn signs<S: Signer>(signer: &mut S, case: &Case<'_>, chain: &[Vec<u8>]) -> String {
    let token = must(mint(signer, case, chain));
    let parts = Parts::of(&token);

    let key = signer.public_key();
    RsaPublicKeyComponents {
        n: key.modulus(),
        e: &[1, 0, 1],
    }
    .verify(
        &RSA_PKCS1_2048_8192_SHA256,
        parts.signing_input.as_bytes(),
        &parts.signature,
    )
    .expect("ring verifies the signature");

    let x5c: Vec<String> = chain.iter().map(|der| to_base64(der)).collect();
    assert_eq!(
        parts.header(),
        json!({ "alg": "RS256", "typ": "JWT", "x5c": x5c })
    );

    assert_eq!(
        parts.claims(),
        json!({
            "iss": case.client_id,
            "sub": case.client_id,
            "aud": case.audience.unwrap_or("EU.EORI.NLKPNFIAMPROD"),
            "iat": case.now,
            "nbf": case.now,
            "exp": case.now + 30,
            "jti": case.jti,
        })
    );
    token
}

fn is_deterministic<S: Signer>(signer: &mut S, case: &Case<'_>, chain: &[Vec<u8>]) {
    let first = must(mint(signer, case, chain));
    assert_eq!(
        must(mint(signer, case, chain)),
        first,
        "same input, same bytes"
    );
    let other = must(mint(
        signer,
        &Case {
            jti: "another",
            ..*case
        },
        chain,
    ));
    assert_ne!(
        other.rsplit_once('.'),
        first.rsplit_once('.'),
        "other input, other signature"
    );
}

/// Prepare, sign elsewhere, attach; and the same with a stream instead of a buffer.
fn signs_in_two_steps<S: Signer>(signer: &mut S, case: &Case<'_>, chain: &[Vec<u8>]) {
    let expected = must(mint(signer, case, chain));
    let credential = credential(case, chain, signer.public_key()).expect("as before");
    let request = request(case).expect("as before");
    let input = credential.prepare(&request).expect("as before");
    let mut signature = Signature::new();
    must(signer.sign(&input, &mut signature));

    let mut buffer = vec![0; input.token_len()];
    let token = input
        .attach(signature.as_bytes(), &mut buffer)
        .expect("a good signature");
    assert_eq!(token.as_str(), expected);
}

/// A signature with one bit wrong does not leave the core, and nothing else does.
fn refuses_a_broken_signature<S: Signer>(signer: &mut S, case: &Case<'_>, chain: &[Vec<u8>]) {
    let credential = credential(case, chain, signer.public_key()).expect("as before");
    let request = request(case).expect("as before");
    let input = credential.prepare(&request).expect("as before");
    let mut signature = Signature::new();
    must(signer.sign(&input, &mut signature));

    let good = signature.as_bytes();
    let flipped = |place: usize| {
        let mut bad = good.to_vec();
        bad[place] ^= 1;
        bad
    };
    let mut longer = good.to_vec();
    longer.insert(0, 0);
    let bad = [
        flipped(0),
        flipped(good.len() - 1),
        good[1..].to_vec(),
        longer,
        Vec::new(),
    ];
    for bad in bad {
        let mut buffer = vec![0; MAX_COMPACT_JWS];
        let error = input
            .attach(&bad, &mut buffer)
            .expect_err("a broken signature");
        assert!(matches!(error, Error::Signature(_)), "{error}");
        assert!(
            buffer.iter().all(|&byte| byte == 0),
            "nothing of the token was written"
        );
    }
}

fn must<T, E: fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("the signer must sign: {error}"))
}
