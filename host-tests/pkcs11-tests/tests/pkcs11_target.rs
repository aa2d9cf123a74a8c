//! The signer suite against the token that `TEST_PKCS11_MODULE` and its friends name, else SoftHSM.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use privyseal_core::Signer as _;
use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{Pkcs11Signer, Pkcs11Uri, SignerOptions};
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_pki::{CertificateSpec, TestPki};
use privyseal_test_suite as suite;
use privyseal_test_suite::target::Target;

#[test]
fn the_chosen_token_passes_the_suite() {
    const NAME: &str = "the_chosen_token_passes_the_suite";
    if !is_child(NAME) {
        let target = Target::chosen();
        OwnProcess::new(NAME)
            .environment(target.environment())
            // A card takes a second for a signature.
            .silence(Duration::from_secs(300))
            .must_pass();
        return;
    }
    let target = Target::from_environment().expect("set by the parent");
    let uri: Pkcs11Uri = target.uri(target.module()).parse().unwrap();
    // One that stays: the key may want it for each signature.
    let pins = move |_: &SecretRequest| Secret::new(&target.pin());
    let mut signer = Pkcs11Signer::open_with(&uri, pins, &SignerOptions::default()).unwrap();
    let spki = suite::spki(signer.public_key());
    let chain = TestPki::new().chain(&spki, &CertificateSpec::seal());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    suite::run(&mut signer, &chain, now.as_secs());
}
