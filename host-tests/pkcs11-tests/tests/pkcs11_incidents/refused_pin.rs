//! A token that does not show that a try was lost, and a service that starts again and again.

use std::thread;

use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;
use privyseal_hsm::{PinSources, Prompt, Secret};
use privyseal_pkcs11::{Error, LoginPolicy, Pkcs11Signer};
use privyseal_test_suite::fault_shim::{FaultShim, count, user_logins};
use privyseal_test_suite::target::Kind;

use crate::stage::{Stage, in_own_process};

/// All that a token says of its user PIN.
const NO_PIN_FLAGS: &str = "C_GetTokenInfo * unset 0x70000";

/// As a start of the command: the PIN is looked for again. Gives how often it was tried, too.
fn start(stage: &Stage, pin: &str, offer_refused: bool) -> (Result<(), Error>, usize) {
    let module = FaultShim::module();
    let uri = format!(
        "pkcs11:token=target;object=seal?module-path={}",
        module.display()
    );
    let pin = Secret::new(pin).unwrap();
    let pins = PinSources::new(Some(&pin), None, Prompt::Never, |_| {});
    let mark = stage.shim.mark();
    let policy = LoginPolicy::default();
    let mut pins = pins.offer_refused(offer_refused);
    let opened = Pkcs11Signer::open(&uri.parse().unwrap(), &mut pins, policy);
    (
        opened.map(drop),
        count(&stage.shim.calls_since(mark), "C_Login"),
    )
}

#[test]
fn a_pin_that_was_refused_is_not_offered_at_the_next_start() {
    const NAME: &str = "refused_pin::a_pin_that_was_refused_is_not_offered_at_the_next_start";
    in_own_process(NAME, Kind::Plain, |stage| {
        stage.shim.rules(&[NO_PIN_FLAGS]);
        let refused =
            |(result, tries): (Result<(), Error>, usize)| (result.unwrap_err().kind(), tries);
        let wrong = "97531";
        let first = refused(start(stage, wrong, false));
        assert_eq!(first, (SignerErrorKind::PinIncorrect, 1));
        for _ in 0..3 {
            let again = refused(start(stage, wrong, false));
            assert_eq!(again, (SignerErrorKind::NotLoggedIn, 0));
        }
        let forced = refused(start(stage, wrong, true));
        assert_eq!(forced, (SignerErrorKind::PinIncorrect, 1));
        // Another one is, and a right one ends the matter.
        let (right, tries) = start(stage, &stage.target.pin(), false);
        right.unwrap();
        assert_eq!(tries, 1);
        let (result, tries) = start(stage, wrong, false);
        assert_eq!(
            (result.unwrap_err().kind(), tries),
            (SignerErrorKind::PinIncorrect, 1)
        );
    });
}

/// As eight processes that start at once: each looks for its PIN again.
#[test]
fn a_wrong_pin_costs_one_try_however_many_offer_it_at_once() {
    const NAME: &str = "refused_pin::a_wrong_pin_costs_one_try_however_many_offer_it_at_once";
    in_own_process(NAME, Kind::Plain, |stage| {
        stage.shim.rules(&[NO_PIN_FLAGS]);
        let mark = stage.shim.mark();
        let start = || start(stage, "97531", false).0.unwrap_err().kind();
        let mut kinds = thread::scope(|scope| {
            let starts = [(); 8].map(|()| scope.spawn(start));
            starts.map(|start| start.join().unwrap())
        });
        kinds.sort_by_key(|kind| *kind != SignerErrorKind::PinIncorrect);
        assert_eq!(kinds[0], SignerErrorKind::PinIncorrect);
        assert_eq!(kinds[1..], [SignerErrorKind::NotLoggedIn; 7]);
        assert_eq!(user_logins(&stage.shim.calls_since(mark)), 1);
    });
}

#[test]
fn what_cannot_be_the_tokens_pin_costs_no_try() {
    const NAME: &str = "refused_pin::what_cannot_be_the_tokens_pin_costs_no_try";
    in_own_process(NAME, Kind::Plain, |stage| {
        // SoftHSM takes 4 to 255 bytes.
        let (result, tries) = start(stage, "123", false);
        let text = result.unwrap_err().to_string();
        assert!(text.contains("4 to 255 bytes"), "{text}");
        assert_eq!(tries, 0);
    });
}
