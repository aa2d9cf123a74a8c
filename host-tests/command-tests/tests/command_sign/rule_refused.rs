//! A chain, a claim or a clock that breaks a rule: exit code 1.

use privyseal_core::limits::{MAX_AUDIENCE, MAX_CHAIN_DER, MAX_CLIENT_ID, MAX_JTI};
use privyseal_test_base::clock::now;
use privyseal_test_pki::{Authority, CertificateSpec, Usage, test_key};

use crate::stage::Stage;

/// Exit code: a rule is broken.
const RULE_BROKEN: i32 = 1;

#[test]
fn a_chain_that_does_not_belong_to_the_key() {
    let stage = Stage::new();
    let file = stage.chain_file(&stage.pki.seal_chain(&test_key("stranger", 2048)));
    stage
        .sign(&[("--chain", &file)])
        .is_refused(RULE_BROKEN, &["another key"]);
}

#[test]
fn a_chain_with_a_gap() {
    let stage = Stage::new();
    let gap = [
        stage.chain[0].clone(),
        stage.chain[2].clone(),
        stage.chain[3].clone(),
    ];
    let file = stage.chain_file(&gap);
    stage.sign(&[("--chain", &file)]).is_refused(
        RULE_BROKEN,
        &["that of its issuer, CN=Test Issuing CA, O=Privyseal Test Trust, C=NL, is missing"],
    );
}

#[test]
fn a_chain_without_its_root() {
    let stage = Stage::new();
    let file = stage.chain_file(&stage.chain[..3]);
    stage
        .sign(&[("--chain", &file)])
        .is_refused(RULE_BROKEN, &["root"]);
}

#[test]
fn a_chain_with_a_root_of_the_same_name() {
    let stage = Stage::new();
    let other = Authority::root(
        test_key("other-root", 2048),
        CertificateSpec::authority("Test Root CA", None),
    );
    let mut chain = stage.chain.clone();
    chain[3].clone_from(&other.certificate);
    let file = stage.chain_file(&chain);
    stage
        .sign(&[("--chain", &file)])
        .is_refused(RULE_BROKEN, &["was not signed"]);
}

#[test]
fn an_expired_leaf_and_a_clock_before_the_leaf() {
    let stage = Stage::new();
    let now = now();
    let file = stage.leaf_file(&CertificateSpec::seal().valid(now - 7200, now - 3600));
    stage
        .sign(&[("--chain", &file)])
        .is_refused(RULE_BROKEN, &["expired"]);
    let file = stage.leaf_file(&CertificateSpec::seal().valid(now + 3600, now + 7200));
    stage
        .sign(&[("--chain", &file)])
        .is_refused(RULE_BROKEN, &["valid from"]);
    let early = (now - 7 * 24 * 3600).to_string();
    stage
        .sign(&[("--now", &early)])
        .is_refused(RULE_BROKEN, &["valid from"]);
    stage
        .sign(&[("--now", "1000000000")])
        .is_refused(RULE_BROKEN, &["clock"]);
}

#[test]
fn a_ca_as_leaf() {
    let stage = Stage::new();
    let leaf = CertificateSpec {
        ca: Some(true),
        ..CertificateSpec::seal()
    };
    let file = stage.leaf_file(&leaf);
    stage
        .sign(&[("--chain", &file)])
        .is_refused(RULE_BROKEN, &["CA"]);
}

#[test]
fn a_leaf_that_may_not_sign() {
    let stage = Stage::new();
    let file = stage.leaf_file(&CertificateSpec::seal().usage(&[Usage::KeyEncipherment]));
    stage
        .sign(&[("--chain", &file)])
        .is_refused(RULE_BROKEN, &["nonRepudiation"]);
    let file = stage.leaf_file(&CertificateSpec::seal().usage(&[Usage::DigitalSignature]));
    stage.sign(&[("--chain", &file)]).token();
}

#[test]
fn a_leaf_below_2048_bits() {
    let stage = Stage::new();
    let small = test_key("small", 1024).spki_der();
    let file = stage.chain_file(&stage.pki.chain(&small, &CertificateSpec::seal()));
    stage
        .sign(&[("--chain", &file)])
        .is_refused(RULE_BROKEN, &["1024", "2048"]);
}

#[test]
fn texts_of_a_wrong_shape_are_refused_by_name() {
    let stage = Stage::new();
    let fields = [
        ("--client-id", "client_id", MAX_CLIENT_ID),
        ("--audience", "aud", MAX_AUDIENCE),
        ("--jti", "jti", MAX_JTI),
    ];
    for (option, field, max) in fields {
        let long = "x".repeat(max + 1);
        for wrong in ["", &long, "line\nbreak", "tab\t", "bell\u{7}", "caf\u{e9}"] {
            let outcome = stage.sign(&[(option, wrong)]);
            outcome.is_refused(RULE_BROKEN, &[field]);
        }
    }
    let longest = "x".repeat(MAX_JTI);
    stage.sign(&[("--jti", &longest)]).token();
}

#[test]
fn ids_that_are_no_party_ids() {
    let stage = Stage::new();
    stage
        .sign(&[("--client-id", "example")])
        .is_refused(RULE_BROKEN, &["client_id", "EU.EORI"]);
    stage
        .sign(&[("--audience", "example")])
        .is_refused(RULE_BROKEN, &["aud"]);
}

#[test]
fn the_longest_chain_works_and_one_byte_more_is_refused_by_name() {
    let stage = Stage::new();
    let now = now().to_string();
    let mut authorities = vec![stage.pki.root.clone()];
    for (place, key) in ["sub", "issuing", "sub-2", "issuing-2"]
        .into_iter()
        .enumerate()
    {
        let spec = CertificateSpec::authority(&format!("Test CA {place}"), None);
        let next = authorities
            .last()
            .unwrap()
            .subordinate(test_key(key, 2048), spec);
        authorities.push(next);
    }
    let chain_of = |bytes: usize| {
        let mut padding = 8 * 1024;
        loop {
            let leaf = CertificateSpec::seal().padded(padding);
            let leaf = authorities
                .last()
                .unwrap()
                .issue(&stage.key.spki_der(), &leaf);
            let others = authorities
                .iter()
                .rev()
                .map(|authority| authority.certificate.clone());
            let chain: Vec<Vec<u8>> = std::iter::once(leaf).chain(others).collect();
            let len: usize = chain.iter().map(Vec::len).sum();
            if len == bytes {
                return chain;
            }
            padding = padding + bytes - len;
        }
    };
    let file = stage.chain_file(&chain_of(MAX_CHAIN_DER));
    stage.sign(&[("--chain", &file), ("--now", &now)]).token();
    let file = stage.chain_file(&chain_of(MAX_CHAIN_DER + 1));
    let outcome = stage.sign(&[("--chain", &file), ("--now", &now)]);
    outcome.is_refused(RULE_BROKEN, &["x5c", "16385", "16384"]);
}
