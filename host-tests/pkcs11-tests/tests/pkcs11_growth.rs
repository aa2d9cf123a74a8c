//! What is read from a token grows with the keys and certificates that are wanted, not with all that is there.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::path::PathBuf;

use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{LoginPolicy, Pkcs11Signer, SignerOptions, list};
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_pki::{TestPki, test_key};
use privyseal_test_suite::fault_shim::{Call, FaultShim, count};
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

const DIR: &str = "PRIVYSEAL_TEST_DIR";

/// More than a message lists.
const KEYS: usize = 14;

/// Of the chain.
const CERTIFICATES: usize = 4;

/// Searches and reads of `step`.
fn calls(shim: &FaultShim, step: impl FnOnce()) -> (usize, usize, Vec<Call>) {
    let mark = shim.mark();
    step();
    let calls = shim.calls_since(mark);
    let of = |function| count(&calls, function);
    (of("C_FindObjectsInit"), of("C_GetAttributeValue"), calls)
}

#[test]
fn one_search_a_kind_and_one_read_an_object() {
    const NAME: &str = "one_search_a_kind_and_one_read_an_object";
    if !is_child(NAME) {
        let (token, pki) = (SoftHsmToken::new("many"), TestPki::new());
        for number in 0..KEYS {
            let id = format!("{number:02x}");
            token.import_key(&test_key("seal", 2048), &id, &format!("key {number}"));
        }
        for (place, der) in pki.seal_chain(&test_key("seal", 2048)).iter().enumerate() {
            token.store_certificate(der, &format!("a{place}"), "certificate");
        }
        let shim = FaultShim::new(token.dir());
        FaultShim::module();
        OwnProcess::new(NAME)
            .environment(shim.environment(&SoftHsmToken::module()))
            .environment([
                ("SOFTHSM2_CONF".into(), token.configuration().into()),
                (DIR.into(), token.dir().into()),
            ])
            .must_pass();
        return;
    }
    let shim = FaultShim::new(&PathBuf::from(std::env::var_os(DIR).unwrap()));
    let module = FaultShim::module();
    let uri = |path: &str| {
        let uri = format!("pkcs11:token=many{path}?module-path={}", module.display());
        uri.parse().unwrap()
    };
    let mut pins = |_: &SecretRequest| Secret::new(PIN);
    let policy = LoginPolicy::default();
    let options = SignerOptions::default();

    let (searches, reads, all) = calls(&shim, || {
        let listed = list(&uri(""), &mut pins, &options).unwrap();
        assert_eq!(
            (listed.keys.len(), listed.certificates.len()),
            (KEYS, CERTIFICATES)
        );
    });
    assert_eq!((searches, reads), (2, KEYS + CERTIFICATES), "{all:?}");

    let (searches, reads, all) = calls(&shim, || {
        Pkcs11Signer::open(&uri(";object=key%203"), &mut pins, policy).unwrap();
    });
    assert_eq!((searches, reads), (2, 1 + CERTIFICATES), "{all:?}");

    let (searches, reads, all) = calls(&shim, || {
        let error = Pkcs11Signer::open(&uri(";object=kye"), &mut pins, policy).unwrap_err();
        let text = error.to_string();
        assert!(text.ends_with("and 4 more"), "{text}");
    });
    assert_eq!((searches, reads), (2, 10), "{all:?}");
}
