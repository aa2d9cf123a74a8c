//! What every signer must do, on this one; and what it refuses.

use std::time::Duration;

use privyseal_core::{Signer as _, SignerError as _, SignerErrorKind};
use privyseal_hsm::{FitnessNote, KeyUnfit, SignerOptions};
use privyseal_test_base::clock::now;
use privyseal_test_pki::{TestPki, test_key};
use privyseal_test_simulators::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};
use privyseal_test_suite as suite;
use privyseal_test_suite::software_signer::SoftwareSigner;
use privyseal_yubihsm::provision::NewObject;
use privyseal_yubihsm::{CertificateError, Error, YubihsmSigner, YubihsmUri};

use super::{CHAIN, KEY, open, password, uri};

const IDLE: Duration = Duration::from_secs(30);

/// The bits of `sign-pkcs` and `get-opaque`.
const SIGN: u64 = 1 << 5;
const READ: u64 = 1;

#[test]
fn it_passes_the_suite_with_the_same_bytes_as_the_software_signer() {
    let sim = YubihsmSim::start();
    for (id, bits) in [(1, 2048), (2, 3072), (3, 4096)] {
        let key = test_key("seal", bits);
        let chain = TestPki::new().seal_chain(&key);
        sim.import_key(id, "imported", &key);
        let now = now();
        let mut signer = open(&uri(&sim, &format!("key-id={id}"))).unwrap();
        assert_eq!(
            *signer.public_key(),
            key.public_key(),
            "the device's key is the imported one"
        );
        let hardware = suite::run(&mut signer, &chain, now);
        let software = suite::run(&mut SoftwareSigner::new(&key), &chain, now);
        assert_eq!(hardware, software, "RSA-{bits}");
    }
    assert_eq!(
        sim.sessions_opened(),
        1,
        "one session for all signers of the process"
    );
}

#[test]
fn the_chain_comes_from_the_device_by_ids_by_label_or_by_the_keys_own_label() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    let of = |rest: &str| open(&uri(&sim, rest)).unwrap().certificates().unwrap();
    assert_eq!(of("key-id=100"), chain);
    assert_eq!(of("key-id=100;cert-label=eSeal"), chain);
    assert_eq!(of("key-id=100;cert-ids=101,0x66,103,104"), chain);
    assert_eq!(
        of("key-id=100;cert-ids=104,101"),
        [chain[3].clone(), chain[0].clone()]
    );
    let mut signer = open(&uri(&sim, "key-id=100")).unwrap();
    let token = suite::mint(&mut signer, &suite::cases(now())[0], &chain).unwrap();
    assert_eq!(token.split('.').count(), 3);
}

#[test]
fn a_chain_that_is_not_there_says_what_to_do() {
    let (sim, _, _) = YubihsmSim::with_seal(IDLE);
    sim.store_certificates(200, "text", &[b"no certificate".to_vec()]);
    sim.import_key(7, "", &test_key("stranger", 2048));
    for (rest, expected, words) in [
        (
            "key-id=100;cert-ids=101,99",
            CertificateError::NotFound { id: 99 },
            "object 99",
        ),
        (
            "key-id=100;cert-ids=200",
            CertificateError::NotACertificate { id: 200 },
            "object 200",
        ),
        (
            "key-id=100;cert-label=none",
            CertificateError::NoneLabelled {
                label: "none".into(),
            },
            "cert-ids",
        ),
        ("key-id=7", CertificateError::NotNamed, "cert-label"),
    ] {
        let error = open(&uri(&sim, rest)).unwrap().certificates().unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(
            matches!(&error, Error::Certificates(it) if *it == expected),
            "{error:?}"
        );
    }
}

#[test]
fn what_cannot_sign_is_refused_when_it_is_opened() {
    let (sim, _, _) = YubihsmSim::with_seal(IDLE);
    sim.import_key(5, "mute", &test_key("stranger", 2048));
    sim.revoke_sign(5);
    sim.add_auth_key(9, "reader", READ);
    let refusal = |rest: &str, secret: &str| {
        YubihsmSigner::open(&uri(&sim, rest), &mut password(secret)).unwrap_err()
    };
    let error = refusal("key-id=5", FACTORY_PASSWORD);
    assert!(
        matches!(
            error,
            Error::Key {
                key_id: 5,
                reason: KeyUnfit::NoSignCapability
            }
        ),
        "{error}"
    );
    let error = refusal("auth-key=9;key-id=100", "reader");
    let expected = KeyUnfit::SessionMayNotSign { auth_key: 9 };
    assert!(
        matches!(error, Error::Key { key_id: 100, reason } if reason == expected),
        "{error}"
    );
    for (rest, secret, kind, words) in [
        (
            "key-id=99",
            FACTORY_PASSWORD,
            SignerErrorKind::NotFound,
            "no asymmetric key 99",
        ),
        (
            "",
            FACTORY_PASSWORD,
            SignerErrorKind::Configuration,
            "key-id is missing",
        ),
        (
            "key-id=100",
            "passw0rd",
            SignerErrorKind::PinIncorrect,
            "is wrong",
        ),
        (
            "key-id=100;auth-key=77",
            FACTORY_PASSWORD,
            SignerErrorKind::NotFound,
            "no authentication key 77",
        ),
    ] {
        let rest = if rest.is_empty() { "auth-key=1" } else { rest };
        let error = refusal(rest, secret);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
}

/// The session that the right password opened must not serve who has a wrong one.
#[test]
fn a_wrong_password_gets_no_other_users_session() {
    let (sim, _, _) = YubihsmSim::with_seal(IDLE);
    let uri = uri(&sim, "key-id=100");
    let _right = open(&uri).unwrap();
    let error = YubihsmSigner::open(&uri, &mut password("wrong")).unwrap_err();
    assert!(matches!(error, Error::PasswordIncorrect { .. }), "{error}");
    open(&uri).unwrap();
}

#[test]
fn a_session_that_may_sign_only_signs_and_reads_nothing() {
    let (sim, key, chain) = YubihsmSim::with_seal(IDLE);
    sim.add_auth_key(2, "sign only", SIGN);
    let uri = uri(&sim, "auth-key=2;key-id=100");
    let mut signer = YubihsmSigner::open(&uri, &mut password("sign only")).unwrap();
    let now = now();
    let software = suite::run(&mut SoftwareSigner::new(&key), &chain, now);
    assert_eq!(suite::run(&mut signer, &chain, now), software);
    let error = signer.certificates().unwrap_err();
    assert_eq!(
        error.to_string().split(';').next(),
        Some("GetOpaque: INSUFFICIENT_PERMISSIONS (0x09)")
    );
}

#[test]
fn no_connector_no_signature() {
    let port = YubihsmSim::start().port();
    let uri = format!("yubihsm:port={port};key-id=1").parse().unwrap();
    let error = open(&uri).unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Unavailable, "{error}");
    assert!(
        error
            .to_string()
            .contains("yubihsm-connector is not running"),
        "{error}"
    );
    assert!(matches!(
        open(&"yubihsm:usb;key-id=1".parse().unwrap()),
        Err(Error::UsbNotBuiltIn)
    ));
}

#[test]
fn the_list_names_keys_and_certificates() {
    let (sim, key, chain) = YubihsmSim::with_seal(IDLE);
    sim.import_key(5, "mute", &test_key("stranger", 2048));
    sim.revoke_sign(5);
    let listing = privyseal_yubihsm::list(
        &uri(&sim, "auth-key=1"),
        &mut password(FACTORY_PASSWORD),
        &SignerOptions::default(),
    )
    .unwrap();
    let ids: Vec<_> = listing
        .keys
        .iter()
        .map(|it| (it.uri.key_id().unwrap(), it.is_fit()))
        .collect();
    assert_eq!(ids, [(5, false), (KEY, true)]);
    assert_eq!(
        listing.keys[0].notes,
        [
            FitnessNote::Unfit(KeyUnfit::NoSignCapability),
            FitnessNote::Imported,
            FitnessNote::NoCertificate
        ]
    );
    assert_eq!(listing.keys[1].notes, [FitnessNote::Imported]);
    assert_eq!(listing.keys[1].public_key, Some(key.public_key()));
    assert_eq!(listing.hidden, 0);
    let certificates: Vec<_> = listing
        .certificates
        .iter()
        .map(|it| {
            let key = it.key.as_ref().and_then(YubihsmUri::key_id);
            (it.uri.cert_ids()[0], key, it.der.clone())
        })
        .collect();
    let expected: Vec<_> = (CHAIN..)
        .zip(chain)
        .map(|(id, der)| (id, (id == CHAIN).then_some(KEY), der))
        .collect();
    assert_eq!(certificates, expected);
    // The URI that is printed opens the key.
    open(&listing.keys[1].uri.to_string().parse().unwrap()).unwrap();
}

#[test]
fn attestation_is_for_the_key() {
    let (sim, key, _) = YubihsmSim::with_seal(IDLE);
    let signer = open(&uri(&sim, "key-id=100")).unwrap();
    let attestation = signer.device().attest(KEY).unwrap();
    let certificate =
        privyseal_core::cert::Certificate::from_der(&attestation.certificate).unwrap();
    assert_eq!(certificate.rsa_key().unwrap(), key.public_key());
    assert!(attestation.device_certificate.is_some());
    let imported = attestation.key().unwrap();
    assert!(!imported.is_bound_to_device(), "{imported}");

    let object = NewObject::new(8, "made here", 2);
    signer.device().generate_key(&object, 2048).unwrap();
    let made = signer.device().attest(8).unwrap().key().unwrap();
    assert!(made.is_bound_to_device());
    assert_eq!(
        made.to_string(),
        "key 8 \"made here\" on YubiHSM 12345678, firmware 3.0.5: generated there, not exportable, domains 2, \
         capabilities 0x20"
    );
}

/// The policy of the caller holds for keys of a device, too.
#[test]
fn what_the_policy_refuses_is_not_opened() {
    use privyseal_hsm::{KeyPolicy, KeyUnfit};
    let (sim, _, _) = YubihsmSim::with_seal(IDLE);
    sim.import_key(5, "no chain", &test_key("stranger", 2048));
    let refusal = |key: &str, policy: KeyPolicy| {
        let options = SignerOptions::default().key(policy);
        let opened =
            YubihsmSigner::open_as(&uri(&sim, key), &mut password(FACTORY_PASSWORD), &options);
        match opened {
            Ok(_) => None,
            Err(Error::Key { reason, .. }) => Some(reason),
            Err(other) => panic!("{other}"),
        }
    };
    let certified = KeyPolicy::default().require_certificate(true);
    assert_eq!(refusal("key-id=5", KeyPolicy::default()), None);
    assert_eq!(
        refusal("key-id=5", certified),
        Some(KeyUnfit::NoCertificate)
    );
    let large = KeyPolicy::default().min_bits(3072);
    let too_small = KeyUnfit::TooSmall {
        bits: 2048,
        min: 3072,
    };
    assert_eq!(refusal("key-id=5", large), Some(too_small));
}
