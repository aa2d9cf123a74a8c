//! The second vendor: kryoptic signs as SoftHSM does, and its PIN locks as a card's does.
//!
//! How many tries are left shows in the flags: of ten, three left is "count low", one left is "final try".
//! So the number of wrong PINs until a flag appears proves what each cost.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use privyseal_core::Signer as _;
use privyseal_hsm::{PinState, Secret, SecretRequest};
use privyseal_pkcs11::{Error, LoginPolicy, Pkcs11Signer, Pkcs11Uri};
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_pki::{CertificateSpec, TestPki};
use privyseal_test_suite as suite;
use privyseal_test_suite::fault_shim::{FaultShim, count};
use privyseal_test_suite::kryoptic::{KryopticToken, TRIES};
use privyseal_test_suite::softhsm::PIN;

const DIR: &str = "PRIVYSEAL_TEST_DIR";

const WRONG_PIN: &str = "97531";

/// Runs `test` in a process of its own, with a new kryoptic token that has an RSA key, behind the shim.
fn with_token(name: &str, test: impl FnOnce(&Stage)) {
    if is_child(name) {
        let dir = PathBuf::from(std::env::var_os(DIR).expect("set by the parent"));
        let shim = FaultShim::new(&dir);
        return test(&Stage { shim });
    }
    let token = KryopticToken::new("second");
    token.generate_key(2048, "01", "seal");
    FaultShim::module();
    OwnProcess::new(name)
        .environment(token.environment())
        .environment(FaultShim::new(token.dir()).environment(&KryopticToken::module()))
        .environment([(DIR.into(), token.dir().into())])
        .silence(Duration::from_secs(120))
        .must_pass();
}

struct Stage {
    shim: FaultShim,
}

impl Stage {
    /// Opens the key. Gives how often a PIN was asked for and how often one was tried, too.
    fn open(&self, pin: &str, policy: LoginPolicy) -> Opening {
        let module = FaultShim::module();
        let uri: Pkcs11Uri = format!(
            "pkcs11:token=second;object=seal?module-path={}",
            module.display()
        )
        .parse()
        .unwrap();
        let asked = Cell::new(0);
        let mut pins = |_: &SecretRequest| {
            asked.set(asked.get() + 1);
            Secret::new(pin)
        };
        let mark = self.shim.mark();
        let outcome = Pkcs11Signer::open(&uri, &mut pins, policy);
        Opening {
            outcome,
            asked: asked.get(),
            tried: count(&self.shim.calls_since(mark), "C_Login"),
        }
    }

    /// Spends `number` tries, one opening each; gives the state that the last one reported.
    fn spend(&self, number: u32) -> PinState {
        let mut state = PinState::Unknown;
        for _ in 0..number {
            let opening = self.open(WRONG_PIN, LoginPolicy::default());
            assert_eq!((opening.asked, opening.tried), (1, 1));
            match opening.outcome.map(|_| ()) {
                Err(Error::PinIncorrect { now, .. }) => state = now,
                other => panic!("{other:?}"),
            }
        }
        state
    }

    /// Opening is refused without a try, with this in the message.
    fn is_refused(&self, pin: &str, policy: LoginPolicy, message: &str) {
        let opening = self.open(pin, policy);
        assert_eq!(
            (opening.asked, opening.tried),
            (0, 0),
            "no PIN asked for, none tried"
        );
        let error = opening.outcome.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

struct Opening {
    outcome: Result<Pkcs11Signer, Error>,
    asked: usize,
    tried: usize,
}

const FORCED: LoginPolicy = LoginPolicy::new(true);

#[test]
fn a_wrong_pin_costs_one_try_and_the_last_is_never_spent_unasked() {
    const NAME: &str = "a_wrong_pin_costs_one_try_and_the_last_is_never_spent_unasked";
    with_token(NAME, |stage| {
        assert_eq!(stage.spend(TRIES - 4), PinState::Ok);
        assert_eq!(stage.spend(1), PinState::CountLow, "three left");
        assert_eq!(stage.spend(1), PinState::CountLow, "two left");
        assert_eq!(stage.spend(1), PinState::FinalTry, "one left");
        // However often it is asked for, with whatever PIN.
        for pin in [WRONG_PIN, PIN, PIN] {
            stage.is_refused(pin, LoginPolicy::default(), "one PIN try left");
        }
        // Forced, it is spent; the PIN is right, so it logs in, and all tries are back.
        let opening = stage.open(PIN, FORCED);
        assert_eq!((opening.asked, opening.tried), (1, 1));
        opening.outcome.expect("the right PIN");
    });
}

#[test]
fn a_locked_pin_is_not_tried_whoever_asks() {
    const NAME: &str = "a_locked_pin_is_not_tried_whoever_asks";
    with_token(NAME, |stage| {
        stage.spend(TRIES - 1);
        let opening = stage.open(WRONG_PIN, FORCED);
        assert_eq!((opening.asked, opening.tried), (1, 1));
        let error = opening.outcome.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("locked"), "{error}");
        for policy in [LoginPolicy::default(), FORCED] {
            stage.is_refused(PIN, policy, "locked");
        }
    });
}

#[test]
fn a_right_pin_gives_the_tries_back() {
    const NAME: &str = "a_right_pin_gives_the_tries_back";
    with_token(NAME, |stage| {
        assert_eq!(stage.spend(TRIES - 2), PinState::CountLow);
        let opening = stage.open(PIN, LoginPolicy::default());
        assert_eq!(opening.tried, 1, "count low is no reason to refuse");
        drop(opening.outcome.expect("the right PIN"));
        assert_eq!(stage.spend(1), PinState::Ok);
    });
}

#[test]
fn kryoptic_passes_the_suite() {
    const NAME: &str = "kryoptic_passes_the_suite";
    with_token(NAME, |stage| {
        let opening = stage.open(PIN, LoginPolicy::default());
        let mut signer = opening.outcome.expect("the right PIN");
        let spki = suite::spki(signer.public_key());
        let chain = TestPki::new().chain(&spki, &CertificateSpec::seal());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        suite::run(&mut signer, &chain, now.as_secs());
    });
}
