//! Loading a library and initializing it.

use std::fs;
use std::sync::mpsc;
use std::thread;

use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{Error, LoginPolicy, Pkcs11Signer};
use privyseal_test_suite::fault_shim::{FaultShim, count};
use privyseal_test_suite::target::Kind;

use crate::stage::{Stage, in_own_process};

fn open(stage: &Stage, module: &str) -> Result<Pkcs11Signer, Error> {
    let uri = format!("pkcs11:token=target;object=seal?module-path={module}");
    let mut pins = |_: &SecretRequest| Secret::new(&stage.target.pin());
    Pkcs11Signer::open(&uri.parse().unwrap(), &mut pins, LoginPolicy::default())
}

/// `CKR_CANT_LOCK`, `CKR_ARGUMENTS_BAD`.
fn is_initialized_otherwise(name: &str, code: &str) {
    in_own_process(name, Kind::Plain, |stage| {
        stage
            .shim
            .rules(&[&format!("C_Initialize 1 return {code}")]);
        let bench = stage.pool();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5).for_each(|_| bench.sign().unwrap()));
            }
        });
        assert_eq!(count(&stage.shim.calls_since(0), "C_Initialize"), 2);
    });
}

#[test]
fn a_module_without_locks_is_called_by_one_thread_at_a_time() {
    const NAME: &str = "initialize::a_module_without_locks_is_called_by_one_thread_at_a_time";
    is_initialized_otherwise(NAME, "0xa");
}

#[test]
fn a_module_that_knows_no_arguments_gets_none() {
    const NAME: &str = "initialize::a_module_that_knows_no_arguments_gets_none";
    is_initialized_otherwise(NAME, "0x7");
}

/// Twice without success: then it is an error, and the same as before.
#[test]
fn a_module_that_refuses_both_is_said_so() {
    const NAME: &str = "initialize::a_module_that_refuses_both_is_said_so";
    in_own_process(NAME, Kind::Plain, |stage| {
        stage.shim.rules(&["C_Initialize * return 0x7"]);
        let error = open(stage, FaultShim::module().to_str().unwrap()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("CKR_ARGUMENTS_BAD") && text.contains("module-init-args"),
            "{text}"
        );
    });
}

#[test]
fn a_module_that_hangs_holds_up_no_other_and_is_given_up() {
    const NAME: &str = "initialize::a_module_that_hangs_holds_up_no_other_and_is_given_up";
    in_own_process(NAME, Kind::Plain, |stage| {
        stage.shim.rules(&["C_Initialize 1 hang 600000"]);
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let error = open(stage, FaultShim::module().to_str().unwrap()).unwrap_err();
                tell.send(error).unwrap();
            });
            open(stage, stage.target.module().to_str().unwrap()).unwrap();
            assert!(told.try_recv().is_err(), "the other had to wait for it");
        });
        let error = told.recv().unwrap();
        assert!(matches!(error, Error::ModuleHangs { .. }), "{error}");
        assert!(error.to_string().contains("after 20 s"), "{error}");
    });
}

/// Whoever can write to the working directory must not choose the library.
#[test]
fn a_bare_name_is_not_looked_for_in_the_working_directory() {
    const NAME: &str = "initialize::a_bare_name_is_not_looked_for_in_the_working_directory";
    in_own_process(NAME, Kind::Plain, |stage| {
        let dir = stage.target.pin_file().parent().unwrap();
        fs::copy(FaultShim::module(), dir.join("libplanted.so")).unwrap();
        std::env::set_current_dir(dir).unwrap();
        let error = open(stage, "libplanted.so").unwrap_err();
        assert!(matches!(error, Error::Module { .. }), "{error}");
        assert!(stage.shim.calls_since(0).is_empty());
        open(stage, "./libplanted.so").unwrap();
    });
}
