//! Every state of a PIN, on a token that counts how often it is tried.

use std::cell::Cell;

use cryptoki_sys::CK_RV;
use privyseal_core::signer::{SignerError as _, SignerErrorKind};

use super::*;
use privyseal_hsm::SecretUnavailable;

struct FakeToken {
    info: TokenInfo,
    after: PinState,
    logged_in: bool,
    answer: Option<CK_RV>,
    tries: Cell<usize>,
    with_pin: Cell<bool>,
}

impl FakeToken {
    fn new(pin_state: PinState, answer: Option<CK_RV>) -> Self {
        let info = TokenInfo {
            label: "tok".into(),
            login_required: true,
            pin_state,
            ..TokenInfo::default()
        };
        let (tries, with_pin) = (Cell::new(0), Cell::new(false));
        Self {
            info,
            after: pin_state,
            logged_in: false,
            answer,
            tries,
            with_pin,
        }
    }
}

impl TokenLogin for FakeToken {
    fn token(&self) -> TokenInfo {
        let pin_state = if self.tries.get() == 0 {
            self.info.pin_state
        } else {
            self.after
        };
        TokenInfo {
            pin_state,
            ..self.info.clone()
        }
    }

    fn token_now(&self) -> Result<TokenInfo, CallError> {
        Ok(self.token())
    }

    fn alone(&self) -> Option<ProcessLock> {
        None
    }

    fn is_logged_in(&self) -> bool {
        self.logged_in
    }

    fn login(&self, _: CK_USER_TYPE, pin: Option<&Secret>) -> Result<(), CallError> {
        self.tries.set(self.tries.get() + 1);
        self.with_pin.set(pin.is_some());
        self.answer
            .map_or(Ok(()), |code| CallError::check("C_Login", code))
    }
}

/// Result, tries spent, times the PIN was asked for.
fn run(token: &FakeToken, policy: LoginPolicy) -> (Result<(), Error>, usize, usize) {
    let mut asked = 0;
    let mut pins = |_: &SecretRequest| {
        asked += 1;
        Secret::new("1234")
    };
    let result = attempt(token, &mut pins, policy, LoginReason::Opening);
    (result.map(|_| ()), token.tries.get(), asked)
}

const CAREFUL: LoginPolicy = LoginPolicy::new(false);
const FORCED: LoginPolicy = LoginPolicy::new(true);

#[test]
fn the_default_is_careful() {
    assert_eq!(LoginPolicy::default(), CAREFUL);
}

#[test]
fn flags_decide_before_the_pin_is_asked_for() {
    for (state, policy, kind) in [
        (PinState::Ok, CAREFUL, None),
        (PinState::CountLow, CAREFUL, None),
        (
            PinState::FinalTry,
            CAREFUL,
            Some(SignerErrorKind::PinFinalTry),
        ),
        (PinState::FinalTry, FORCED, None),
        (
            PinState::Unknown,
            CAREFUL,
            Some(SignerErrorKind::PinFinalTry),
        ),
        (PinState::Unknown, FORCED, None),
        (PinState::Locked, CAREFUL, Some(SignerErrorKind::PinLocked)),
        (PinState::Locked, FORCED, Some(SignerErrorKind::PinLocked)),
    ] {
        let (result, tries, asked) = run(&FakeToken::new(state, None), policy);
        let expected = usize::from(kind.is_none());
        assert_eq!((tries, asked), (expected, expected), "{state:?} {policy:?}");
        assert_eq!(
            result.err().map(|error| error.kind()),
            kind,
            "{state:?} {policy:?}"
        );
    }
}

#[test]
fn a_wrong_pin_costs_one_try_and_says_how_it_stands_now() {
    for (after, words) in [
        (PinState::CountLow, "CKF_USER_PIN_COUNT_LOW"),
        (PinState::FinalTry, "ONE TRY IS LEFT"),
        (PinState::Locked, "locked now"),
        (PinState::Ok, "no shortage"),
        (PinState::Unknown, "does not say"),
    ] {
        let token = FakeToken {
            after,
            ..FakeToken::new(PinState::Ok, Some(CKR_PIN_INCORRECT))
        };
        let (result, tries, asked) = run(&token, FORCED);
        assert_eq!((tries, asked), (1, 1));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::PinIncorrect);
        let text = error.to_string();
        assert!(text.starts_with("C_Login: CKR_PIN_INCORRECT: "), "{text}");
        assert!(
            text.contains("one try was spent") && text.contains(words),
            "{text}"
        );
        assert!(!text.contains("1234"), "{text}");
    }
}

#[test]
fn already_logged_in_is_success() {
    let token = FakeToken::new(PinState::Ok, Some(CKR_USER_ALREADY_LOGGED_IN));
    assert!(matches!(run(&token, CAREFUL), (Ok(()), 1, 1)));
    let token = FakeToken {
        logged_in: true,
        ..FakeToken::new(PinState::FinalTry, None)
    };
    assert!(matches!(run(&token, CAREFUL), (Ok(()), 0, 0)));
}

#[test]
fn no_login_required_asks_for_nothing() {
    let mut token = FakeToken::new(PinState::Locked, None);
    token.info.login_required = false;
    assert!(matches!(run(&token, CAREFUL), (Ok(()), 0, 0)));
}

#[test]
fn a_pin_pad_asks_by_itself() {
    let mut token = FakeToken::new(PinState::Ok, None);
    token.info.protected_auth_path = true;
    assert!(matches!(run(&token, CAREFUL), (Ok(()), 1, 0)));
    assert!(!token.with_pin.get());
}

#[test]
fn no_pin_no_try() {
    let token = FakeToken::new(PinState::Ok, None);
    let mut none = |_: &SecretRequest| Err(SecretUnavailable::new("no terminal to ask at"));
    let error = attempt(&token, &mut none, CAREFUL, LoginReason::Opening).unwrap_err();
    assert_eq!(
        (error.kind(), token.tries.get()),
        (SignerErrorKind::NotLoggedIn, 0)
    );
    assert!(
        error.to_string().contains("no terminal to ask at"),
        "{error}"
    );
}

#[test]
fn no_user_pin_yet() {
    let token = FakeToken::new(PinState::Ok, Some(CKR_USER_PIN_NOT_INITIALIZED));
    let (result, tries, _) = run(&token, CAREFUL);
    assert!(matches!(result, Err(Error::PinNotInitialized { .. })));
    assert_eq!(tries, 1);
}

#[test]
fn locked_at_the_try() {
    let token = FakeToken::new(PinState::Ok, Some(CKR_PIN_LOCKED));
    let (result, tries, _) = run(&token, CAREFUL);
    assert_eq!(
        (result.unwrap_err().kind(), tries),
        (SignerErrorKind::PinLocked, 1)
    );
}
