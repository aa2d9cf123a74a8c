//! A signature is two calls of the module, seen from outside: `pkcs11-spy` (OpenSC) stands between the
//! signer and SoftHSM and writes down every call.
//!
//! `unsafe`: for `std::env::set_var`, which runs before any module is loaded and any thread started.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "healing/token.rs"]
mod token;

use std::path::{Path, PathBuf};

use privyseal_pkcs11::{Pkcs11Pool, PoolOptions};

use token::{Token, right_pin, sign};

fn spy() -> PathBuf {
    [
        "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so",
        "/usr/lib/aarch64-linux-gnu/pkcs11-spy.so",
        "/usr/lib64/pkcs11-spy.so",
        "/usr/lib/pkcs11-spy.so",
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|path| path.exists())
    .expect("pkcs11-spy is not installed: apt-get install opensc-pkcs11")
}

/// The functions in the spy's log, in order: its lines are `12: C_SignInit`, with a date after.
fn calls(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines()
        .filter_map(|line| line.split_once(": C_"))
        .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|(_, name)| {
            let name = name.split_whitespace().next().unwrap();
            format!("C_{name}")
        })
        .collect()
}

/// Of one key without certificates. SoftHSM has one more slot, whose token is not initialized.
const TO_THE_FIRST_SIGNATURE: [&str; 21] = [
    "C_Initialize",
    "C_GetSlotList",
    "C_GetTokenInfo",
    "C_GetTokenInfo",
    "C_OpenSession",
    "C_GetSessionInfo",
    // Another process may have spent a try since.
    "C_GetTokenInfo",
    "C_Login",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_GetAttributeValue",
    "C_GetMechanismList",
    "C_GetMechanismInfo",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_OpenSession",
    "C_SignInit",
    "C_Sign",
];

#[test]
fn two_per_signature() {
    let token = Token::new();
    let log = token.directory().join("spy.log");
    // SAFETY: see the top of the file.
    unsafe {
        std::env::set_var("PKCS11SPY", &token.softhsm);
        std::env::set_var("PKCS11SPY_OUTPUT", &log);
    }
    let uri = token.uri(Some(&spy()));
    let pool = Pkcs11Pool::open(&uri, right_pin, PoolOptions::default()).unwrap();
    let mut signer = pool.signer().unwrap();
    let first = sign(&mut signer).unwrap();

    let before = calls(&log);
    let start = before.iter().position(|call| *call == "C_Initialize");
    assert_eq!(before[start.unwrap()..], TO_THE_FIRST_SIGNATURE);
    assert_eq!(
        before.iter().filter(|call| *call == "C_Login").count(),
        1,
        "{before:?}"
    );
    for _ in 0..10 {
        assert_eq!(sign(&mut signer).unwrap(), first, "RS256 is deterministic");
    }
    let steady = calls(&log).split_off(before.len());
    assert_eq!(steady, ["C_SignInit", "C_Sign"].repeat(10));

    // A signer that is given back leaves its session to the next.
    drop(signer);
    let before = calls(&log).len();
    sign(&mut pool.signer().unwrap()).unwrap();
    assert_eq!(calls(&log).split_off(before), ["C_SignInit", "C_Sign"]);

    // All that was opened is closed, and the module is left as it was found.
    drop(pool);
    let all = calls(&log);
    let count = |name: &str| all.iter().filter(|call| *call == name).count();
    assert_eq!(count("C_OpenSession"), count("C_CloseSession"));
    assert_eq!((count("C_Initialize"), count("C_Finalize")), (1, 0));
}
