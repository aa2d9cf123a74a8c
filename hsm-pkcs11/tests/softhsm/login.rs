//! The PIN, on tokens that no other test logs in to.

use std::cell::Cell;

use privyseal_core::signer::{SignerError as _, SignerErrorKind};
use privyseal_pkcs11::{
    Error, LoginPolicy, Pin, PinState, PinUnavailable, Pkcs11Signer, TokenInfo,
};

use crate::fixture::{SoftHsm, open, uri};

pub(crate) fn fill(softhsm: &SoftHsm) {
    for label in ["wrong-pin", "no-pin", "once"] {
        softhsm.token(label).rsa_key("k", &[1], 2048, &[]);
    }
}

#[test]
fn a_wrong_pin_is_tried_once_and_never_shown() {
    let asked = Cell::new(0);
    let mut wrong = |token: &TokenInfo| {
        asked.set(asked.get() + 1);
        assert_eq!(
            (token.label.as_str(), token.pin_state),
            ("wrong-pin", PinState::Ok)
        );
        Pin::new("987654")
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
    let mut none = |_: &TokenInfo| Err(PinUnavailable::new("nobody is at the terminal"));
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
    let mut pins = |token: &TokenInfo| {
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
