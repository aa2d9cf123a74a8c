//! NSS's software token: a module that does nothing without a text at `C_Initialize`, whose token needs no
//! login, and which shows few attributes of a key.
//!
//! The library comes with Firefox and with `libnss3`; without it this test fails and says so.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "healing/token.rs"]
mod token;

use std::path::{Path, PathBuf};

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use privyseal_core::signer::{SignerError as _, SignerErrorKind};
use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{LoginPolicy, Pkcs11Pool, Pkcs11Signer, Pkcs11Uri, PoolOptions};

fn softokn() -> PathBuf {
    [
        "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
        "/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
        "/usr/lib64/libsoftokn3.so",
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|path| path.exists())
    .expect("NSS is not installed: apt-get install libnss3")
}

fn no_pin(_: &SecretRequest) -> Result<Secret, SecretUnavailable> {
    panic!("a PIN was asked for");
}

#[test]
fn a_text_to_begin_with_and_no_login() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nss");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    let uri = |object: &str| -> Pkcs11Uri {
        let directory = directory.display();
        let args = format!("configdir%3D%27sql:{directory}%27%20flags%3D");
        let module = softokn();
        let module = module.display();
        format!("pkcs11:token=NSS%20Certificate%20DB;object={object}?module-path={module}&module-init-args={args}")
            .parse()
            .unwrap()
    };
    // Loads and initializes the module; there is no key yet.
    let error = Pkcs11Signer::open(&uri("k"), &mut no_pin, LoginPolicy::default()).unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::NotFound, "{error}");

    let other = Pkcs11::new(softokn()).unwrap();
    let slots = other.get_slots_with_token().unwrap();
    let database = slots.into_iter().find(|slot| {
        let info = other.get_token_info(*slot).unwrap();
        info.label() == "NSS Certificate DB"
    });
    let session = other.open_rw_session(database.unwrap()).unwrap();
    // NSS has no password where the password is empty.
    let empty = AuthPin::from("");
    session.login(UserType::So, Some(&empty)).unwrap();
    session.init_pin(&empty).unwrap();
    session.logout().unwrap();
    let public = [
        Attribute::Token(true),
        Attribute::ModulusBits(2048.into()),
        Attribute::PublicExponent(vec![1, 0, 1]),
    ];
    let private = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Label(b"k".to_vec()),
        Attribute::Sign(true),
    ];
    session
        .generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)
        .unwrap();
    drop(session);

    let mut signer = Pkcs11Signer::open(&uri("k"), &mut no_pin, LoginPolicy::default()).unwrap();
    let request = token::sign(&mut signer).unwrap();
    let pool = Pkcs11Pool::open(&uri("k"), no_pin, PoolOptions::default()).unwrap();
    assert_eq!(token::sign(&mut pool.signer().unwrap()).unwrap(), request);
    assert!(!pool.token().login_required);

    // The same library cannot be initialized in two ways at once.
    let error = format!(
        "pkcs11:?module-path={}&module-init-args=x",
        softokn().display()
    );
    let error = Pkcs11Signer::open(&error.parse().unwrap(), &mut no_pin, LoginPolicy::default());
    let text = error.unwrap_err().to_string();
    assert!(text.contains("other module-init-args"), "{text}");
}
