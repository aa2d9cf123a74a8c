//! Tokens that are not as others: one whose information cannot be read, one that has a single session.

use std::cell::Cell;

use privyseal_core::signer::SignerErrorKind;
use privyseal_core::{Signer as _, SignerError as _};
use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{Error, LoginPolicy, Pkcs11Signer, module_info};
use privyseal_test_suite::fault_shim::{
    FaultShim, context_logins, count, open_sessions, user_logins,
};
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};
use privyseal_test_suite::target::Kind;

use crate::stage::{Stage, in_own_process};

/// One token is found by its label while the other's information cannot be read. That one can be named by
/// its slot, and since nobody can tell how many tries it has left, it is not logged in to unless that is
/// allowed.
#[test]
fn an_odd_token_hides_no_other_and_opens_by_its_slot() {
    const NAME: &str = "odd_token::an_odd_token_hides_no_other_and_opens_by_its_slot";
    in_own_process(NAME, Kind::Plain, |stage| {
        second_token(stage);
        let slot = |label: &str| open(stage, &format!("token={label}"), false).unwrap().1;
        let odd = slot("odd");
        assert_ne!(slot("target"), odd);
        let rule = format!("C_GetTokenInfo @{odd} return 0x30");
        stage.shim.rules(&[&rule]);

        assert!(open(stage, "token=target", false).is_ok());

        let error = open(stage, "token=odd", false).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::NotFound, "{error}");
        let its_slot = format!("pkcs11:slot-id={odd}; C_GetTokenInfo: CKR_DEVICE_ERROR");
        assert!(error.to_string().contains(&its_slot), "{error}");

        let by_slot = format!("slot-id={odd}");
        let mark = stage.shim.mark();
        let error = open(stage, &by_slot, false).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::PinFinalTry, "{error}");
        assert_eq!(user_logins(&stage.shim.calls_since(mark)), 0);
        assert!(open(stage, &by_slot, true).is_ok());
        assert_eq!(user_logins(&stage.shim.calls_since(mark)), 1);

        let module = FaultShim::module();
        let uri = format!("pkcs11:{by_slot}?module-path={}", module.display());
        let slots = module_info(&uri.parse().unwrap()).unwrap().slots;
        let meant: Vec<_> = slots.iter().filter(|slot| slot.matches_uri).collect();
        assert_eq!((meant.len(), meant[0].slot_id), (1, odd));
    });
}

/// One session keeps the login; that none is left to sign with is said before anybody waits for a signature.
#[test]
fn a_token_with_one_session_is_said_so_at_the_opening() {
    const NAME: &str = "odd_token::a_token_with_one_session_is_said_so_at_the_opening";
    in_own_process(NAME, Kind::Plain, |stage| {
        let rules = [
            "C_GetTokenInfo * sessions 1",
            "C_OpenSession 2+ return 0xb1",
        ];
        stage.shim.rules(&rules);
        let error = open(stage, "token=target", false).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Busy, "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with("C_OpenSession: CKR_SESSION_COUNT: ")
                && text.contains("two are needed"),
            "{text}"
        );
        assert!(open_sessions(&stage.shim.calls_since(0)).is_empty());
    });
}

/// As a reader that is unplugged: its slot is gone, and there again.
#[test]
fn a_slot_that_vanishes_and_returns_is_found_again() {
    const NAME: &str = "odd_token::a_slot_that_vanishes_and_returns_is_found_again";
    in_own_process(NAME, Kind::Always, |stage| {
        let bench = stage.pool();
        bench.sign().unwrap();
        let gone = ["C_SignInit 1 first sessions", "C_GetSlotList * none"];
        let calls = bench.calls_with(&gone, || {
            for _ in 0..2 {
                let error = bench.sign().unwrap_err();
                assert!(error.contains("none fits the URI"), "{error}");
            }
        });
        assert_eq!(count(&calls, "C_Login"), 0, "no token, no try");
        let calls = bench.calls_with(&[], || bench.sign().unwrap());
        assert_eq!((user_logins(&calls), context_logins(&calls)), (1, 1));
    });
}

/// Beside the target, with a key of the same label. Made before the module is loaded.
fn second_token(stage: &Stage) {
    let directory = stage.target.pin_file().parent().unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = privyseal_test_base::tool::command(program, arguments);
        command.env("SOFTHSM2_CONF", directory.join("softhsm2.conf"));
        privyseal_test_base::tool::run(&mut command);
    };
    let pins = ["--pin", PIN, "--so-pin", "13579246"];
    let init = ["--init-token", "--free", "--label", "odd"];
    run("softhsm2-util", &[&init[..], &pins].concat());
    let module = SoftHsmToken::module();
    let login = ["--token-label", "odd", "--login", "--pin", PIN];
    let key = ["--keypairgen", "--key-type", "rsa:2048", "--sensitive"];
    let name = ["--id", "01", "--label", "seal", "--usage-sign"];
    let module = ["--module", module.to_str().unwrap()];
    run("pkcs11-tool", &[&module[..], &login, &key, &name].concat());
}

/// The modulus, and the slot's number.
fn open(stage: &Stage, token: &str, spend_final_try: bool) -> Result<(Vec<u8>, u64), Error> {
    let module = FaultShim::module();
    let uri = format!(
        "pkcs11:{token};object=seal?module-path={}",
        module.display()
    );
    let asked = Cell::new(0);
    let mut pins = |_: &SecretRequest| {
        asked.set(asked.get() + 1);
        Secret::new(&stage.target.pin())
    };
    let policy = LoginPolicy::new(spend_final_try);
    let signer = Pkcs11Signer::open(&uri.parse().unwrap(), &mut pins, policy)?;
    assert_eq!(asked.get(), 1);
    Ok((
        signer.public_key().modulus().to_vec(),
        signer.token().slot_id,
    ))
}
