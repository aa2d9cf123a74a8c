//! From a device fresh from the factory to a token.

use privyseal_hsm::Secret;
use privyseal_test_base::clock::now;
use privyseal_test_pki::{CertificateSpec, TestPki};
use privyseal_test_simulators::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};
use privyseal_test_suite as suite;
use privyseal_yubihsm::provision::{ExtraCapabilities, NewObject};
use privyseal_yubihsm::{Device, DeviceCode, Error, YubihsmSigner};

use super::{password, uri};

fn new(id: u16) -> NewObject {
    NewObject::new(id, "eSeal", 3)
}

#[test]
fn a_key_that_can_only_sign_and_a_password_that_can_only_use_it() {
    let sim = YubihsmSim::start();
    let admin = Device::open(&uri(&sim, "auth-key=1"), &mut password(FACTORY_PASSWORD)).unwrap();

    let facts = admin.generate_key(&new(100), 2048).unwrap();
    assert!(
        facts.generated && facts.capabilities.may_sign() && !facts.capabilities.is_exportable()
    );
    let public_key = facts.public_key.unwrap();

    // The CA's part.
    let chain = TestPki::new().chain(&suite::spki(&public_key), &CertificateSpec::seal());
    assert_eq!(
        admin.put_certificates(&new(101), &chain).unwrap(),
        [101, 102, 103, 104]
    );

    let secret = Secret::new("only to sign").unwrap();
    let also_may = ExtraCapabilities::default().read_certificates(true);
    admin
        .put_signing_auth_key(&new(2), &secret, also_may)
        .unwrap();
    admin
        .put_signing_auth_key(&new(3), &secret, ExtraCapabilities::default())
        .unwrap();

    let mut tokens = Vec::new();
    for (auth_key, reads) in [(2, true), (3, false)] {
        let uri = uri(&sim, &format!("auth-key={auth_key};key-id=100"));
        let mut signer = YubihsmSigner::open(&uri, &mut password("only to sign")).unwrap();
        assert!(signer.notes().is_empty(), "{:?}", signer.notes());
        assert_eq!(signer.certificates().is_ok(), reads);
        tokens.push(suite::run(&mut signer, &chain, now()));
        let refused = [
            signer.device().generate_key(&new(9), 2048).unwrap_err(),
            signer
                .device()
                .put_certificates(&new(9), &chain)
                .unwrap_err(),
            signer.device().force_audit().unwrap_err(),
            signer.device().attest(100).unwrap_err(),
        ];
        for error in refused {
            assert_eq!(
                error.device_code(),
                Some(DeviceCode::INSUFFICIENT_PERMISSIONS),
                "{error}"
            );
        }
    }
}

#[test]
fn what_is_there_already_is_not_replaced() {
    let sim = YubihsmSim::start();
    let admin = Device::open(&uri(&sim, "auth-key=1"), &mut password(FACTORY_PASSWORD)).unwrap();
    let chain = TestPki::new().chain(
        &suite::spki(
            &admin
                .generate_key(&new(100), 2048)
                .unwrap()
                .public_key
                .unwrap(),
        ),
        &CertificateSpec::seal(),
    );
    admin.put_certificates(&new(101), &chain).unwrap();
    for error in [
        admin.generate_key(&new(100), 2048).unwrap_err(),
        admin.put_certificates(&new(103), &chain).unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("OBJECT_EXISTS (0x11)"),
            "{error}"
        );
    }
}

#[test]
fn senseless_wishes_are_refused_before_the_device_is_asked() {
    let sim = YubihsmSim::start();
    let admin = Device::open(&uri(&sim, "auth-key=1"), &mut password(FACTORY_PASSWORD)).unwrap();
    for (wish, words) in [
        (new(0), "no id"),
        (new(u16::MAX), "no id"),
        (NewObject::new(1, "a".repeat(41), 3), "label"),
        (NewObject::new(1, "eSeal", 0), "no domain"),
        (NewObject::new(1, "eSeal", 17), "no domain"),
    ] {
        let error = admin.generate_key(&wish, 2048).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = admin.generate_key(&new(9), 1024).unwrap_err();
    assert!(error.to_string().contains("1024 bits"), "{error}");
    let error = admin
        .put_certificates(&new(5), &[b"text".to_vec()])
        .unwrap_err();
    assert!(matches!(error, Error::Certificates(_)), "{error}");
}

#[test]
fn what_one_message_can_store_is_known_before_anything_is_written() {
    let sim = YubihsmSim::start();
    sim.make_older();
    let admin = Device::open(&uri(&sim, "auth-key=1"), &mut password(FACTORY_PASSWORD)).unwrap();
    let key = admin.generate_key(&new(100), 2048).unwrap();
    let spki = suite::spki(&key.public_key.unwrap());
    let pki = TestPki::new();
    let plain = pki.chain(&spki, &CertificateSpec::seal())[0].len();
    // Lengths in DER grow with what they count, and serial numbers are random: the padding is found by trying.
    let leaf_of = |len: usize| {
        let mut leaves = (len - plain - 80..len - plain)
            .cycle()
            .take(2_000)
            .map(|padding| pki.chain(&spki, &CertificateSpec::seal().padded(padding)));
        leaves.find(|chain| chain[0].len() == len)
    };
    let (fits, over) = (leaf_of(1968).unwrap(), leaf_of(1969).unwrap());
    let error = admin.put_chain(100, &over, false).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("1969 bytes")
            && text.contains("1968")
            && text.ends_with("nothing was changed"),
        "{text}"
    );
    assert_eq!(
        admin.put_chain(100, &fits, false).unwrap().len(),
        fits.len()
    );
    let mut signer = YubihsmSigner::open(
        &uri(&sim, "auth-key=1;key-id=100"),
        &mut password(FACTORY_PASSWORD),
    )
    .unwrap();
    assert_eq!(signer.certificates().unwrap(), fits);
    suite::run(&mut signer, &fits, now());
}
