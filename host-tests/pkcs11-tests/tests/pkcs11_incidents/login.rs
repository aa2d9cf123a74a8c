//! Logins.

use std::fs;
use std::sync::Barrier;

use privyseal_hsm::{Secret, SecretRequest};
use privyseal_test_suite::fault_shim::{context_logins, count, user_logins};
use privyseal_test_suite::target::Kind;

use crate::stage::in_own_process;

/// CKF_USER_PIN_COUNT_LOW, which the token says of itself.
const COUNT_LOW: &str = "C_GetTokenInfo * flags 0x10000";

/// Some modules say so of a wrong PIN: to repeat it could lock a card with three tries.
#[test]
fn a_login_for_use_that_failed_is_not_repeated() {
    const NAME: &str = "login::a_login_for_use_that_failed_is_not_repeated";
    in_own_process(NAME, Kind::Always, |stage| {
        let bench = stage.pool();
        bench.sign().unwrap();
        // The last number: whether the card was pulled, say, so that the next signature logs in again.
        for (code, name, logins) in [
            ("0x5", "CKR_GENERAL_ERROR", 0),
            ("0x6", "CKR_FUNCTION_FAILED", 0),
            ("0x30", "CKR_DEVICE_ERROR", 0),
            ("0x32", "CKR_DEVICE_REMOVED", 1),
            ("0xb3", "CKR_SESSION_HANDLE_INVALID", 1),
            ("0xe0", "CKR_TOKEN_NOT_PRESENT", 1),
            ("0x101", "CKR_USER_NOT_LOGGED_IN", 0),
            ("0x80000001", "CKR_VENDOR_DEFINED", 0),
        ] {
            let rule = format!("C_Login * return {code}");
            let calls = bench.calls_with(&[&rule], || {
                let error = bench.sign().unwrap_err();
                let call = format!("C_Login: {name}");
                assert!(error.contains(&call), "{code}: {error}");
            });
            assert_eq!(count(&calls, "C_Login"), 1, "{code}");
            assert_eq!(count(&calls, "C_Finalize"), 0, "{code}");
            let calls = bench.calls_with(&[], || bench.sign().unwrap());
            let made = (user_logins(&calls), context_logins(&calls));
            assert_eq!(made, (logins, 1), "{code}");
        }
    });
}

/// Whoever asks for a signature asks for its login; what comes after a failure nobody asked for.
#[test]
fn no_login_for_use_is_tried_again_while_tries_are_short() {
    const NAME: &str = "login::no_login_for_use_is_tried_again_while_tries_are_short";
    in_own_process(NAME, Kind::Always, |stage| {
        let bench = stage.pool();
        let calls = bench.calls_with(&[COUNT_LOW], || bench.sign().unwrap());
        assert_eq!(context_logins(&calls), 1, "a first try is no second one");

        // The second login of one signature.
        let rules = ["C_Sign 1 return 0x30", "C_GetTokenInfo 2+ flags 0x10000"];
        let calls = bench.calls_with(&rules, || {
            let error = bench.sign().unwrap_err();
            assert!(error.contains("CKF_USER_PIN_COUNT_LOW"), "{error}");
        });
        assert_eq!(count(&calls, "C_Login"), 1);

        // The first login of the signature after one whose login failed.
        let rules = [COUNT_LOW, "C_Login 1 return 0x6"];
        let calls = bench.calls_with(&rules, || {
            let error = bench.sign().unwrap_err();
            assert!(error.contains("C_Login: CKR_FUNCTION_FAILED"), "{error}");
            for _ in 0..2 {
                let error = bench.sign().unwrap_err();
                assert!(error.contains("CKF_USER_PIN_COUNT_LOW"), "{error}");
            }
        });
        assert_eq!(count(&calls, "C_Login"), 1);

        // Somebody set the PIN right.
        let calls = bench.calls_with(&[], || bench.sign().unwrap());
        assert_eq!(context_logins(&calls), 1);
        let calls = bench.calls_with(&[COUNT_LOW], || bench.sign().unwrap());
        assert_eq!(context_logins(&calls), 1);
    });
}

/// Who waited for another's login has had the login of the incident.
#[test]
fn threads_that_share_a_heal_share_its_login() {
    const NAME: &str = "login::threads_that_share_a_heal_share_its_login";
    in_own_process(NAME, Kind::Plain, |stage| {
        let bench = stage.pool();
        let rules = [
            "C_SignInit 1 first sessions",
            "C_Login * hang 1000",
            "C_Sign * return 0x30",
        ];
        let ready = Barrier::new(3);
        let mut calls = Vec::new();
        std::thread::scope(|scope| {
            let fail = || {
                let mut signer = bench.pool.signer().unwrap();
                bench.sign_with(&mut signer).unwrap();
                ready.wait();
                ready.wait();
                let error = bench.sign_with(&mut signer).unwrap_err();
                assert!(error.contains("C_Sign: CKR_DEVICE_ERROR"), "{error}");
            };
            let threads = [scope.spawn(fail), scope.spawn(fail)];
            ready.wait();
            calls = bench.calls_with(&rules, || {
                ready.wait();
                for thread in threads {
                    thread.join().unwrap();
                }
            });
        });
        assert_eq!((user_logins(&calls), count(&calls, "C_Finalize")), (1, 0));
        bench.sign().unwrap();
    });
}

/// The second finds the process logged in, and nobody gives it a PIN.
#[test]
fn the_keys_of_a_token_share_the_kept_pin() {
    const NAME: &str = "login::the_keys_of_a_token_share_the_kept_pin";
    in_own_process(NAME, Kind::Always, |stage| {
        let pin = fs::read_to_string(stage.target.pin_file()).unwrap();
        let mut asked = 0;
        let mut pins = |_: &SecretRequest| {
            asked += 1;
            Secret::new(pin.trim_end())
        };
        let first = stage.pool_that_keeps(&mut pins);
        let second = stage.pool_that_keeps(&mut pins);
        drop(first);
        let calls = second.calls_with(&["C_SignInit 1 first sessions"], || second.sign().unwrap());
        assert_eq!((user_logins(&calls), context_logins(&calls)), (1, 1));
        drop(second);
        // The last key took it along.
        let third = stage.pool_that_keeps(&mut pins);
        third.sign().unwrap();
        assert_eq!(asked, 2);
    });
}
