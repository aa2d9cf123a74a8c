//! A pool heals a lost login with one login, but spends no PIN try of its own accord once the token says
//! that tries are short: somebody may be about to lock it.

// A test stops where something is wrong, and says what it saw.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use privyseal_core::{SignError, SignerError as _, SignerErrorKind};
use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{Error, Pkcs11Pool, Pkcs11Uri, PoolOptions};
use privyseal_test_base::own_process::{OwnProcess, is_child, tell};
use privyseal_test_suite::fault_shim::{FaultShim, count, user_logins};
use privyseal_test_suite::minter::Minter;
use privyseal_test_suite::target::Target;

const NAME: &str = "no_login_heals_while_pin_tries_are_short";

const DIR: &str = "PRIVYSEAL_TEST_DIR";

/// What a token says of its PIN tries, and what the signature fails with.
const FLAGS: [(&str, SignerErrorKind); 3] = [
    // CKF_USER_PIN_COUNT_LOW
    ("0x10000", SignerErrorKind::NotLoggedIn),
    // CKF_USER_PIN_FINAL_TRY
    ("0x20000", SignerErrorKind::PinFinalTry),
    // CKF_USER_PIN_LOCKED
    ("0x40000", SignerErrorKind::PinLocked),
];

#[test]
fn no_login_heals_while_pin_tries_are_short() {
    if is_child(NAME) {
        return child();
    }
    let target = Target::chosen();
    FaultShim::module();
    let dir = tempfile::tempdir_in(privyseal_test_base::scratch::cache_dir("tmp"))
        .expect("target/ can be written");
    let told = OwnProcess::new(NAME)
        .environment(target.environment())
        .environment(FaultShim::new(dir.path()).environment(target.module()))
        .environment([(DIR.into(), dir.path().into())])
        .silence(Duration::from_secs(60))
        .must_pass();
    assert_eq!(told, ["3 kinds of flags"]);
}

fn child() {
    let target = Target::from_environment().expect("set by the parent");
    let shim = FaultShim::new(&PathBuf::from(
        std::env::var_os(DIR).expect("set by the parent"),
    ));
    let uri: Pkcs11Uri = target.uri(&FaultShim::module()).parse().unwrap();
    let file = target.pin_file().to_owned();
    let pins = move |_: &SecretRequest| Secret::new(fs::read_to_string(&file).unwrap().trim_end());
    let pool = Pkcs11Pool::open(&uri, pins, PoolOptions::default()).unwrap();
    let minter = Minter::new(pool.public_key());
    let sign = |jti: &str| {
        let mut signer = pool.signer().expect("a session in time");
        minter.mint(&mut signer, jti)
    };
    minter.judge(&sign("before").unwrap()).unwrap();

    for (flags, kind) in FLAGS {
        // The login is really lost, and the token says this of its tries from now on.
        let says = format!("C_GetTokenInfo * flags {flags}");
        shim.rules(&["C_SignInit 1 first sessions", &says]);
        let mark = shim.mark();
        for jti in ["first", "and-not-later-either"] {
            let error: Error = match sign(&format!("{flags}-{jti}")).unwrap_err() {
                SignError::Signer(error) => error,
                SignError::Token(error) => panic!("{error}"),
            };
            let Error::RecoveryFailed { then, .. } = &error else {
                panic!("{flags}: {error}");
            };
            assert_eq!(then.kind(), kind, "{flags}: {error}");
        }
        assert_eq!(count(&shim.calls_since(mark), "C_Login"), 0, "{flags}");

        // Somebody set the PIN right: the next signature heals, with one login.
        shim.rules(&[]);
        let mark = shim.mark();
        minter
            .judge(&sign(&format!("{flags}-after")).unwrap())
            .unwrap();
        assert_eq!(user_logins(&shim.calls_since(mark)), 1, "{flags}");
    }
    tell(&format!("{} kinds of flags", FLAGS.len()));
}
