//! The client of an application with real tokens: several references to one key, several threads.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::thread;

use privyseal::client::BuildError;
use privyseal::keys::KeyError;
use privyseal::{AssertionOptions, Certificates, Client};
use privyseal_core::UnixTime;
use privyseal_core::scheme::FIAM;
use privyseal_test_judges::decode::{Parts, to_base64};
use privyseal_test_pki::{CertificateSpec, TestPki, Usage, test_key};
use privyseal_test_suite::softhsm::{SoftHsmToken, in_own_process};

/// One key twice, as on two tokens, with its chain; and another one.
fn fill(token: &SoftHsmToken) {
    let key = test_key("seal", 2048);
    for (id, label) in [("01", "one"), ("02", "two")] {
        token.import_key(&key, id, label);
    }
    token.store_chain(&TestPki::new().seal_chain(&key), "01");
    token.import_key(&test_key("other", 2048), "03", "other");
}

/// What a client of these references says, and where a chain is given, with that.
fn open(
    token: &SoftHsmToken,
    labels: &[&str],
    chain: Option<Vec<Vec<u8>>>,
) -> Result<Client, BuildError> {
    let keys = labels.iter().map(|label| token.uri(label).parse().unwrap());
    let builder = keys.fold(Client::builder(&FIAM), privyseal::ClientBuilder::key);
    let builder = builder.client_id("EU.EORI.NL123456789");
    match chain {
        Some(chain) => builder.chain(Certificates::from(chain)).open(),
        None => builder.open(),
    }
}

#[test]
fn one_key_under_several_references_serves_many_threads() {
    in_own_process(
        "one_key_under_several_references_serves_many_threads",
        fill,
        |token| {
            // The last is away: there is no such key.
            let client = open(token, &["one", "two", "absent"], None).unwrap();
            thread::scope(|scope| {
                for _ in 0..4 {
                    let client = client.clone();
                    scope.spawn(move || {
                        for _ in 0..8 {
                            let assertion = client.assertion(&AssertionOptions::default());
                            assert_eq!(assertion.unwrap().as_str().split('.').count(), 3);
                        }
                    });
                }
            });
        },
    );
}

/// Of its chains the one is sent that is valid at the moment, and of several the one that ends last; never one that is not
/// for signing.
#[test]
fn each_moment_has_the_chain_that_is_valid_then() {
    in_own_process(
        "each_moment_has_the_chain_that_is_valid_then",
        fill,
        |token| {
            const HOUR: u64 = 3600;
            let (pki, key) = (TestPki::new(), test_key("seal", 2048));
            let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let now = since_1970.unwrap().as_secs();
            let hours = |begin: u64, end| {
                CertificateSpec::seal().valid(now + begin * HOUR - HOUR, now + end * HOUR)
            };
            let attestation = hours(0, 90).usage(&[Usage::KeyEncipherment]);
            let seals = [hours(0, 10), hours(8, 20), attestation];
            let leaves = seals.map(|seal| pki.issuing.issue(&key.spki_der(), &seal));
            let authorities = [&pki.issuing, &pki.sub, &pki.root];
            let authorities = authorities.map(|ca| ca.certificate.clone());
            let client = open(token, &["one"], Some([&leaves[..], &authorities].concat())).unwrap();
            let at = |hour| {
                let options = AssertionOptions::default();
                client.assertion(&options.now(UnixTime::from_secs(now + hour * HOUR).unwrap()))
            };
            for (hour, leaf) in [(0, 0), (6, 0), (7, 1), (9, 1), (19, 1), (1, 0)] {
                let assertion = at(hour).unwrap();
                let header = Parts::of(assertion.as_str()).header();
                assert_eq!(header["x5c"][0], to_base64(&leaves[leaf]), "hour {hour}");
            }
            assert!(at(21).unwrap_err().to_string().contains("expired"));
        },
    );
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    in_own_process("parts_that_do_not_fit_are_refused", fill, |token| {
        let refused = |labels: &[&str]| open(token, labels, None).unwrap_err();
        assert!(matches!(refused(&[]), BuildError::NoKey));
        let error = refused(&["one", "other"]);
        assert!(matches!(error, BuildError::OtherKey { .. }), "{error}");
        // The chain is another key's.
        let chain = TestPki::new().seal_chain(&test_key("other", 2048));
        let error = open(token, &["one"], Some(chain)).unwrap_err();
        assert!(
            matches!(error, BuildError::Core(privyseal_core::Error::KeyMismatch)),
            "{error}"
        );
        // No reference is there.
        let error = open(token, &["absent", "gone"], None).unwrap_err();
        assert!(
            matches!(error, BuildError::Key(KeyError::Signer(_))),
            "{error}"
        );
    });
}
