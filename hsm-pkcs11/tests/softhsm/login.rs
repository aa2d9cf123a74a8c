//! The PIN, on tokens that no other test logs in to.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cryptoki::mechanism::MechanismType;
use cryptoki::object::Attribute;
use privyseal_core::cert::KeyUsages;
use privyseal_core::csr::{Subject, SubjectAttribute, SubjectAttributeType};
use privyseal_core::limits::MAX_CERTIFICATION_REQUEST;
use privyseal_core::signer::{SignerError as _, SignerErrorKind};
use privyseal_core::{CertificationRequestInfo, SignError, Signer as _};
use privyseal_hsm::{FitnessNote, PinState, Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{Error, LoginPolicy, Pkcs11Signer, SignerOptions, SigningMechanism};

use crate::fixture::{PIN, SoftHsm, only, open, uri};

pub(crate) fn fill(softhsm: &SoftHsm) {
    for label in ["wrong-pin", "no-pin", "once"] {
        softhsm.token(label).rsa_key("k", &[1], 2048, &[]);
    }
    let always = Attribute::AlwaysAuthenticate(true);
    let token = softhsm.token("each time");
    token.rsa_key("plain", &[1], 2048, std::slice::from_ref(&always));
    let hashing = only(MechanismType::SHA256_RSA_PKCS);
    token.rsa_key("hashing", &[2], 2048, &[always, hashing]);
}

/// A provider that counts, and gives the wrong PIN from the `wrong_from`th time on (counted from 1).
fn counting(
    wrong_from: usize,
) -> (
    Arc<AtomicUsize>,
    impl FnMut(&SecretRequest) -> Result<Secret, SecretUnavailable>,
) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let pins = move |_: &SecretRequest| {
        let times = counter.fetch_add(1, Ordering::Relaxed) + 1;
        Secret::new(if times < wrong_from { PIN } else { "987654" })
    };
    (asked, pins)
}

/// A certification request, verified by the core.
fn request(signer: &mut Pkcs11Signer) -> Result<Vec<u8>, SignError<Error>> {
    let name = SubjectAttribute::new(SubjectAttributeType::CommonName, "test").unwrap();
    let subject = Subject::new(&[name]).unwrap();
    let public = signer.public_key().clone();
    let info = CertificationRequestInfo::new(&subject, KeyUsages::default(), &public).unwrap();
    let mut buffer = [0; MAX_CERTIFICATION_REQUEST];
    Ok(info.sign(signer, &mut buffer)?.as_der().to_vec())
}

#[test]
fn a_key_that_wants_the_pin_each_time_gets_it() {
    for (object, mechanism) in [
        ("plain", SigningMechanism::RsaPkcs),
        ("hashing", SigningMechanism::Sha256RsaPkcs),
    ] {
        let uri = uri(&format!("token=each%20time;object={object}"));
        for keep_pin in [false, true] {
            let (asked, pins) = counting(usize::MAX);
            let options = SignerOptions::default().keep_pin(keep_pin);
            let mut signer = Pkcs11Signer::open_with(&uri, pins, &options).unwrap();
            assert_eq!(signer.mechanism(), mechanism);
            assert!(signer.notes().contains(&FitnessNote::PinPerSignature));
            // Asked for at opening only if no other test is logged in.
            let at_opening = asked.load(Ordering::Relaxed);
            let first = request(&mut signer).unwrap();
            for _ in 0..2 {
                assert_eq!(request(&mut signer).unwrap(), first);
            }
            let since = asked.load(Ordering::Relaxed) - at_opening;
            let expected = if keep_pin { 1 - at_opening } else { 3 };
            assert_eq!(since, expected, "{object}, keep_pin {keep_pin}");
            assert!(!format!("{signer:?}").contains(PIN));
        }
    }
}

#[test]
fn a_pin_that_was_refused_is_the_last() {
    let uri = uri("token=each%20time;object=plain");
    // Right at opening (if it is asked for then), wrong from the second time on.
    let (asked, pins) = counting(2);
    let options = SignerOptions::default();
    let mut signer = Pkcs11Signer::open_with(&uri, pins, &options).unwrap();
    let error = loop {
        match request(&mut signer) {
            Ok(_) => assert!(asked.load(Ordering::Relaxed) < 2),
            Err(SignError::Signer(error)) => break error,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(error.kind(), SignerErrorKind::PinIncorrect, "{error}");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let text = error.to_string();
    assert!(text.starts_with("C_Login: CKR_PIN_INCORRECT: "), "{text}");
    assert!(!format!("{error} {error:?}").contains("987654"));

    for _ in 0..3 {
        let Err(SignError::Signer(error)) = request(&mut signer) else {
            panic!("signed without a PIN");
        };
        assert_eq!(error.kind(), SignerErrorKind::NotLoggedIn, "{error}");
        let text = error.to_string();
        assert!(text.contains("the last one was refused"), "{text}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2, "never asked again");
}

#[test]
fn a_wrong_pin_is_tried_once_and_never_shown() {
    let asked = Cell::new(0);
    let mut wrong = |request: &SecretRequest| {
        asked.set(asked.get() + 1);
        let SecretRequest::Pin { token, state, .. } = request else {
            panic!("{request}");
        };
        assert_eq!((token.as_str(), *state), ("wrong-pin", PinState::Ok));
        Secret::new("987654")
    };
    let uri = uri("token=wrong-pin");
    let error = Pkcs11Signer::open(&uri, &mut wrong, LoginPolicy::default()).unwrap_err();
    assert_eq!(asked.get(), 1);
    assert_eq!(error.kind(), SignerErrorKind::PinIncorrect);
    let text = error.to_string();
    assert!(text.starts_with("C_Login: CKR_PIN_INCORRECT: "), "{text}");
    assert!(text.contains("one try was spent"), "{text}");
    assert!(
        !text.contains("987654") && !format!("{error:?}").contains("987654"),
        "{error:?}"
    );
    // The failed attempt left nothing behind that the right PIN would trip over.
    assert!(open("token=wrong-pin").is_ok());
}

#[test]
fn no_pin_is_said_with_its_reason() {
    let mut none = |_: &SecretRequest| Err(SecretUnavailable::new("nobody is at the terminal"));
    let uri = uri("token=no-pin");
    let error = Pkcs11Signer::open(&uri, &mut none, LoginPolicy::default()).unwrap_err();
    assert!(matches!(error, Error::PinUnavailable { .. }), "{error}");
    assert!(
        error.to_string().contains("nobody is at the terminal"),
        "{error}"
    );
}

#[test]
fn the_pin_is_asked_for_once_while_the_login_lasts() {
    let asked = Cell::new(0);
    let mut pins = |token: &SecretRequest| {
        asked.set(asked.get() + 1);
        crate::fixture::right_pin(token)
    };
    let uri = uri("token=once");
    let first = Pkcs11Signer::open(&uri, &mut pins, LoginPolicy::default()).unwrap();
    let second = Pkcs11Signer::open(&uri, &mut pins, LoginPolicy::default()).unwrap();
    assert_eq!(asked.get(), 1);
    drop((first, second));
    // The last session took the login with it, so both signers have closed all of theirs.
    let third = Pkcs11Signer::open(&uri, &mut pins, LoginPolicy::default());
    assert!(third.is_ok());
    assert_eq!(asked.get(), 2);
    drop(third);
    // So has an opening that failed after the login.
    let absent = crate::fixture::uri("token=once;object=absent");
    for times in [3, 4] {
        assert!(Pkcs11Signer::open(&absent, &mut pins, LoginPolicy::default()).is_err());
        assert_eq!(asked.get(), times);
    }
}
