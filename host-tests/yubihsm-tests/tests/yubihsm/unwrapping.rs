//! Decryption, as every unwrapper does it.

use privyseal_core::{KeyEncryption, SignerError as _, SignerErrorKind};
use privyseal_hsm::{KeyUnfit, SignerOptions};
use privyseal_test_pki::test_key;
use privyseal_test_simulators::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};
use privyseal_test_suite::unwrapping;
use privyseal_yubihsm::{Error, YubihsmUnwrapper};

use super::{password, uri};

fn open(sim: &YubihsmSim, path: &str) -> Result<YubihsmUnwrapper, Error> {
    let options = SignerOptions::default();
    YubihsmUnwrapper::open_as(&uri(sim, path), &mut password(FACTORY_PASSWORD), &options)
}

#[test]
fn a_yubihsm_decrypts_both() {
    let sim = YubihsmSim::start();
    for (id, bits) in [(1, 2048), (2, 4096)] {
        sim.import_decryption_key(id, &test_key("decryption", bits));
        let mut unwrapper = open(&sim, &format!("key-id={id}")).unwrap();
        for algorithm in KeyEncryption::ALL {
            unwrapping::run(&mut unwrapper, algorithm);
        }
        unwrapping::ways_are_kept_apart(&mut unwrapper);
    }
}

#[test]
fn a_key_that_signs_does_not_decrypt() {
    let sim = YubihsmSim::start();
    sim.import_key(1, "signs", &test_key("seal", 2048));
    let error = open(&sim, "key-id=1").map(drop).unwrap_err();
    let reason = KeyUnfit::NoDecryptCapability;
    assert!(
        matches!(error, Error::Key { reason: it, .. } if it == reason),
        "{error}"
    );
    assert_eq!(
        open(&sim, "key-id=9").map(drop).unwrap_err().kind(),
        SignerErrorKind::NotFound
    );
}
