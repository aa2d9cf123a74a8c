//! A module that does not answer holds up nobody for longer than the pool waits.
//!
//! `unsafe`: `fork`, to see that a child is turned away whatever the threads of its parent were doing. It
//! does nothing but that, and ends; if it hangs, `alarm` ends it.
#![allow(unsafe_code)]

use std::thread;
use std::time::Duration;

use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;
use privyseal_pkcs11::Error;
use privyseal_test_suite::fault_shim::count;
use privyseal_test_suite::target::Kind;

use crate::stage::{Bench, in_own_process};

/// The login takes this long, and the pool waits a fraction of it.
const HANG: [&str; 2] = ["C_SignInit 1 first sessions", "C_Login 1 hang 8000"];
const WAIT: Duration = Duration::from_millis(200);

/// Runs `meanwhile` while another thread hangs in the login that heals an incident.
fn while_healing(bench: &Bench<'_>, meanwhile: impl FnOnce()) {
    bench.calls_with(&HANG, || {
        thread::scope(|scope| {
            let healer = scope.spawn(|| bench.sign().unwrap());
            // The token is looked at before it is logged in to.
            while count(&bench.calls(), "C_GetTokenInfo") == 0 {
                thread::sleep(Duration::from_millis(10));
            }
            thread::sleep(Duration::from_millis(100));
            meanwhile();
            assert!(!healer.is_finished(), "it was not that slow");
        });
    });
}

#[test]
fn who_needs_what_is_being_healed_waits_a_bounded_time() {
    const NAME: &str = "hang::who_needs_what_is_being_healed_waits_a_bounded_time";
    in_own_process(NAME, Kind::Plain, |stage| {
        let bench = stage.pool_that_waits(WAIT);
        let mut without_session = bench.pool.signer().unwrap();
        let mut with_session = bench.pool.signer().unwrap();
        bench.sign_with(&mut with_session).unwrap();
        while_healing(&bench, || {
            for signer in [&mut without_session, &mut with_session] {
                let error = bench.failure(signer);
                assert_eq!(error.kind(), SignerErrorKind::Busy, "{error}");
                assert!(error.to_string().contains("200 ms"), "{error}");
            }
            drop(with_session);
            bench.pool.close_idle();
        });
        bench.sign_with(&mut without_session).unwrap();
    });
}

#[test]
fn a_child_is_turned_away_while_its_parent_heals() {
    unsafe extern "C" {
        fn alarm(seconds: u32) -> u32;
        fn fork() -> i32;
        fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        fn _exit(status: i32) -> !;
    }
    const NAME: &str = "hang::a_child_is_turned_away_while_its_parent_heals";
    in_own_process(NAME, Kind::Plain, |stage| {
        let bench = stage.pool();
        let mut without_session = bench.pool.signer().unwrap();
        let mut with_session = bench.pool.signer().unwrap();
        bench.sign_with(&mut with_session).unwrap();
        while_healing(&bench, || {
            // SAFETY: the child signs nothing, calls nothing of the module and ends without destructors.
            let child = unsafe { fork() };
            if child == 0 {
                // SAFETY: a number goes in.
                unsafe { alarm(2) };
                let mut forked = true;
                for signer in [&mut without_session, &mut with_session] {
                    forked &= matches!(bench.failure(signer), Error::Forked { .. });
                }
                drop((without_session, with_session));
                bench.pool.close_idle();
                // SAFETY: see above.
                unsafe { _exit(i32::from(!forked)) }
            }
            let mut status = -1;
            // SAFETY: the status is written to a variable of ours.
            assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child was turned away at once");
        });
    });
}
