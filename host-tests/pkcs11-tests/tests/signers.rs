//! One suite, every signer; and the same key in two of them gives the same bytes.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::fs;

use privyseal_core::signing_input::SigningInput;
use privyseal_core::{Error, RsaPublicKey, SignError, Signature, Signer};
use privyseal_hsm::{Secret, SecretProvider, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{LoginPolicy, Pkcs11Signer, Pkcs11Uri};
use privyseal_test_base::clock::now;
use privyseal_test_pki::{CertificateSpec, TestPki, test_key};
use privyseal_test_suite as suite;
use privyseal_test_suite::softhsm::{self, SoftHsmToken, in_own_process};
use privyseal_test_suite::software_signer::{SoftwareSigner, SoftwareSignerError};

#[test]
fn the_software_signer_passes_the_suite() {
    for bits in [2048, 3072, 4096] {
        let key = test_key("seal", bits);
        let chain = TestPki::new().seal_chain(&key);
        suite::run(&mut SoftwareSigner::new(&key), &chain, now());
    }
}

/// A signer that says it holds one key and signs with another, as a token with two keys of one label
/// might.
struct Impostor {
    claimed: RsaPublicKey,
    actual: SoftwareSigner,
}

impl Signer for Impostor {
    type Error = SoftwareSignerError;

    fn public_key(&self) -> &RsaPublicKey {
        &self.claimed
    }

    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error> {
        self.actual.sign(input, signature)
    }
}

#[test]
fn a_signature_by_another_key_never_leaves() {
    let key = test_key("seal", 2048);
    let chain = TestPki::new().seal_chain(&key);
    let mut impostor = Impostor {
        claimed: key.public_key(),
        actual: SoftwareSigner::new(&test_key("stranger", 2048)),
    };
    for case in suite::cases(now()) {
        let error = suite::mint(&mut impostor, &case, &chain).unwrap_err();
        assert!(
            matches!(error, SignError::Token(Error::Signature(_))),
            "{error}"
        );
    }
}

/// A PIN for a test token.
struct TestPin;

impl SecretProvider for TestPin {
    fn secret(&mut self, _: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        Secret::new(softhsm::PIN)
    }
}

fn open(token: &SoftHsmToken, object: &str) -> Pkcs11Signer {
    let uri: Pkcs11Uri = token.uri(object).parse().unwrap();
    Pkcs11Signer::open(&uri, &mut TestPin, LoginPolicy::default()).unwrap()
}

#[test]
fn softhsm_passes_the_suite_with_the_same_bytes_as_the_software_signer() {
    in_own_process(
        "softhsm_passes_the_suite_with_the_same_bytes_as_the_software_signer",
        |token| {
            for (id, bits) in [("01", 2048), ("02", 3072), ("03", 4096)] {
                token.import_key(&test_key("seal", bits), id, &format!("imported-{bits}"));
            }
        },
        |token| {
            let now = now();
            for bits in [2048, 3072, 4096] {
                let key = test_key("seal", bits);
                let chain = TestPki::new().seal_chain(&key);
                let label = format!("imported-{bits}");
                let hardware = suite::run(&mut open(token, &label), &chain, now);
                let software = suite::run(&mut SoftwareSigner::new(&key), &chain, now);
                assert_eq!(hardware, software, "RSA-{bits}");
            }
        },
    );
}

/// The whole of a person's set-up: key and chain are on the token, and nothing else is given.
#[test]
fn softhsm_passes_the_suite_with_a_key_that_never_left_it() {
    in_own_process(
        "softhsm_passes_the_suite_with_a_key_that_never_left_it",
        |token| {
            let spki = token.generate_key(2048, "01", "generated");
            let chain = TestPki::new().chain(&spki, &CertificateSpec::seal());
            token.store_chain(&chain, "01");
            fs::write(token.dir().join("spki"), spki).unwrap();
            for (place, certificate) in chain.iter().enumerate() {
                fs::write(token.dir().join(format!("chain-{place}")), certificate).unwrap();
            }
        },
        |token| {
            let read = |name: &str| fs::read(token.dir().join(name)).unwrap();
            let chain: Vec<_> = (0..4)
                .map(|place| read(&format!("chain-{place}")))
                .collect();
            let mut signer = open(token, "generated");
            let stored = signer.certificates().unwrap();
            assert_eq!(stored.first(), chain.first(), "the leaf comes first");
            assert_eq!(suite::spki(signer.public_key()), read("spki"));
            let tokens = suite::run(&mut signer, &chain, now());
            let from_token = suite::mint(&mut signer, &suite::cases(now())[0], &stored).unwrap();
            assert_eq!(
                from_token.split('.').next(),
                tokens[0].split('.').next(),
                "the same header"
            );
        },
    );
}
