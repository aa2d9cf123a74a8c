//! Vectors that others published.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::fs;

use privyseal_core::cert::ClockError;
use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::{SignatureError, VerifyingKey};
use privyseal_core::{Error, RsaPublicKey};
use privyseal_test_base::scratch::{fixture, ishare_chain};
use privyseal_test_judges::decode::{Parts, base64url};
use privyseal_test_suite::software_signer::SoftwareSigner;
use privyseal_test_suite::{cases, credential, request};
use rsa::{BoxedUint, RsaPrivateKey};
use serde_json::Value;

struct Rfc7515A2(Value);

impl Rfc7515A2 {
    fn load() -> Self {
        let text = fs::read(fixture("rfc7515-a2.json")).unwrap();
        Self(serde_json::from_slice(&text).unwrap())
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    fn number(&self, name: &str) -> BoxedUint {
        BoxedUint::from_be_slice_vartime(&base64url(self.text(name)))
    }
}

#[test]
fn rfc_7515_a2_verifies_with_the_core() {
    let vector = Rfc7515A2::load();
    let key =
        RsaPublicKey::from_components(&base64url(vector.text("n")), &base64url(vector.text("e")));
    let key = VerifyingKey::new(key.unwrap()).unwrap();
    let parts = Parts::of(vector.text("jws"));
    let digest = Algorithm::Rs256.digest(parts.signing_input.as_bytes());
    assert_eq!(key.verify(&digest, &parts.signature), Ok(()));

    let other = Algorithm::Rs256.digest(b"another message");
    assert_eq!(
        key.verify(&other, &parts.signature),
        Err(SignatureError::Invalid)
    );
    for place in [0, 100, 255] {
        let mut broken = parts.signature.clone();
        broken[place] ^= 0x10;
        assert_eq!(
            key.verify(&digest, &broken),
            Err(SignatureError::Invalid),
            "byte {place}"
        );
    }
}

#[test]
fn rfc_7515_a2_is_what_the_software_signer_makes() {
    let vector = Rfc7515A2::load();
    let primes = vec![vector.number("p"), vector.number("q")];
    let key = RsaPrivateKey::from_components(
        vector.number("n"),
        vector.number("e"),
        vector.number("d"),
        primes,
    );
    let parts = Parts::of(vector.text("jws"));
    let signature = SoftwareSigner::sign_message(&key.unwrap(), parts.signing_input.as_bytes());
    assert_eq!(signature, parts.signature);
}

/// A moment at which the public chain is valid. Passed in: nothing starts to fail in 2027.
const NOW: u64 = 1_767_225_600;

#[test]
fn the_public_ishare_chain_is_proved_and_put_in_order() {
    let der = ishare_chain();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let shuffled: Vec<&[u8]> = order.iter().map(|&place| der[place].as_slice()).collect();
        let chain = Chain::order(&shuffled).unwrap().prove(&RsaLinks).unwrap();
        let ordered: Vec<&[u8]> = chain
            .certificates()
            .iter()
            .map(privyseal_core::cert::Certificate::as_der)
            .collect();
        assert_eq!(ordered, der, "given as {order:?}");
        let leaf = chain.leaf().unwrap();
        assert_eq!(
            leaf.subject().organization_identifier(),
            Some("NTRNL-10000001")
        );
    }
}

/// The sizes that were measured when the rules were written down.
#[test]
fn the_public_ishare_chain_has_the_known_sizes() {
    let der = ishare_chain();
    let key = leaf_key(&der);
    let case = privyseal_test_suite::Case {
        client_id: "did:ishare:EU.NL.NTRNL-10000001",
        audience: Some("did:ishare:EU.NL.NTRNL-10000000"),
        ..cases(NOW)[2]
    };
    let credential = credential(&case, &der, &key).unwrap();
    let request = request(&case).unwrap();
    let input = credential.prepare(&request).unwrap();
    assert_eq!(
        base64url(std::str::from_utf8(credential.header()).unwrap()).len(),
        8_059
    );
    let mut signing_input = vec![0; input.len()];
    let mut sink = privyseal_core::encoding::sink::SliceSink::new(&mut signing_input);
    input.write_to(&mut sink).unwrap();
    let header_and_dot = credential.header().len() + 1;
    assert_eq!(
        header_and_dot / 64,
        167,
        "SHA-256 blocks that stay the same"
    );
    assert_eq!(input.token_len(), input.len() + 1 + 342);
}

#[test]
fn the_public_ishare_chain_is_refused_after_it_has_expired() {
    let der = ishare_chain();
    let key = leaf_key(&der);
    let case = privyseal_test_suite::Case {
        client_id: "did:ishare:EU.NL.NTRNL-10000001",
        ..cases(2_000_000_000)[2]
    };
    let credential = credential(&case, &der, &key).unwrap();
    let error = credential.prepare(&request(&case).unwrap()).unwrap_err();
    assert!(
        matches!(error, Error::Clock(ClockError::Expired { position: 0, .. })),
        "{error}"
    );
}

fn leaf_key(chain: &[Vec<u8>]) -> RsaPublicKey {
    privyseal_core::cert::Certificate::from_der(&chain[0])
        .unwrap()
        .rsa_key()
        .unwrap()
}
