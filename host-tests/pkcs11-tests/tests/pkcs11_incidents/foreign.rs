//! A module that others use too.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use privyseal_test_suite::fault_shim::{FaultShim, count, user_logins};
use privyseal_test_suite::target::Kind;

use crate::stage::in_own_process;

/// Each initialization ends the sessions and logins of the other users of the module.
#[test]
fn a_module_is_initialized_anew_for_nothing_only_once() {
    const NAME: &str = "foreign::a_module_is_initialized_anew_for_nothing_only_once";
    in_own_process(NAME, Kind::Plain, |stage| {
        let bench = stage.pool();
        bench.sign().unwrap();
        for _ in 0..2 {
            let calls = bench.calls_with(&["C_Sign * return 0x30"], || {
                for _ in 0..3 {
                    let error = bench.sign().unwrap_err();
                    assert!(error.contains("C_Sign: CKR_DEVICE_ERROR"), "{error}");
                }
            });
            assert_eq!((count(&calls, "C_Finalize"), user_logins(&calls)), (1, 1));
            // A signature that succeeds shows that it can help.
            bench.sign().unwrap();
        }
    });
}

/// It is not finalized here, but a new login may help as well.
#[test]
fn a_module_of_somebody_else_is_logged_in_to_anew_before_one_gives_up() {
    const NAME: &str =
        "foreign::a_module_of_somebody_else_is_logged_in_to_anew_before_one_gives_up";
    in_own_process(NAME, Kind::Plain, |stage| {
        let other = Pkcs11::new(FaultShim::module()).unwrap();
        let locking = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        other.initialize(locking).unwrap();
        let bench = stage.pool();
        bench.sign().unwrap();
        let rules = ["C_Sign 1 return 0x30", "C_SignInit 2 return 0x30"];
        let calls = bench.calls_with(&rules, || bench.sign().unwrap());
        assert_eq!((count(&calls, "C_Finalize"), user_logins(&calls)), (0, 1));
    });
}
