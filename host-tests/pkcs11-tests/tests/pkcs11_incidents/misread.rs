//! SoftHSM misreads a token that another process writes to at that moment: what it says then is not believed at once.

use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;
use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{LoginPolicy, Pkcs11Signer, module_info};
use privyseal_test_suite::fault_shim::{FaultShim, count};
use privyseal_test_suite::target::Kind;

use crate::stage::{Stage, in_own_process};

/// How it ends with these rules, and how often the module was initialized for it.
fn open(stage: &Stage, rules: &[&str]) -> (Result<(), SignerErrorKind>, usize) {
    let mut asked = 0;
    let mut pins = |_: &SecretRequest| {
        asked += 1;
        Secret::new(&stage.target.pin())
    };
    stage.shim.rules(rules);
    let mark = stage.shim.mark();
    let uri = stage.target.uri(&FaultShim::module()).parse().unwrap();
    let opened = Pkcs11Signer::open(&uri, &mut pins, LoginPolicy::default());
    assert!(asked <= 1, "a person is asked once");
    let calls = stage.shim.calls_since(mark);
    let opened = opened.map(drop).map_err(|error| error.kind());
    (opened, count(&calls, "C_Initialize"))
}

#[test]
fn what_softhsm_misreads_is_read_again() {
    const NAME: &str = "misread::what_softhsm_misreads_is_read_again";
    in_own_process(NAME, Kind::Plain, |stage| {
        assert_eq!(open(stage, &[]), (Ok(()), 1));
        for rule in [
            "C_GetTokenInfo 1 return 0x05",
            "C_GetTokenInfo 3 return 0x05",
            "C_OpenSession 1 return 0x05",
            "C_Login 1 return 0x05",
            "C_Login 1 return 0x102",
            // As if a token were not there.
            "C_GetTokenInfo 1 unset 0x400",
        ] {
            assert_eq!(open(stage, &[rule]), (Ok(()), 1), "{rule}");
        }
        // Not initialized again where a session depends on it.
        let pool = stage.pool();
        let missed = ["C_GetTokenInfo 1 return 0x05"];
        assert_eq!(open(stage, &missed), (Ok(()), 0));
        pool.sign().unwrap();
    });
}

#[test]
fn what_is_so_again_and_again_is_believed() {
    const NAME: &str = "misread::what_is_so_again_and_again_is_believed";
    in_own_process(NAME, Kind::Plain, |stage| {
        let always = ["C_Login * return 0x102"];
        let (result, initialized) = open(stage, &always);
        assert_eq!(result, Err(SignerErrorKind::NotLoggedIn));
        assert!((2..20).contains(&initialized), "{initialized}");
        // Of a token of another make it is believed at once, and so where that cannot be read.
        let other = ["C_Login * return 0x102", "C_GetSlotInfo * return 0x30"];
        assert_eq!(open(stage, &other), (Err(SignerErrorKind::NotLoggedIn), 0));
        // Some say so of a wrong PIN: a card beside SoftHSM, behind p11-kit, loses one try.
        let uri = stage.target.uri(&FaultShim::module()).parse().unwrap();
        let slots = module_info(&uri).unwrap().slots;
        let slot = slots.iter().find(|it| it.matches_uri).unwrap().slot_id;
        let card = [
            "C_Login * return 0x05",
            &format!("C_GetSlotInfo @{slot} return 0x30"),
        ];
        let mark = stage.shim.mark();
        assert_eq!(open(stage, &card).1, 0);
        assert_eq!(count(&stage.shim.calls_since(mark), "C_Login"), 1);
        // A wrong PIN is one.
        let wrong = ["C_Login * return 0xa0"];
        assert_eq!(open(stage, &wrong), (Err(SignerErrorKind::PinIncorrect), 0));
    });
}
