//! What holds for every vendor's token, on each: it is set up by this library, passes the shared suite of signers, and
//! a wrong PIN costs one try and is said to be wrong. Each vendor's module runs in a process of its own.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cryptoki::context::Pkcs11;
use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use privyseal_core::Signer as _;
use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;
use privyseal_hsm::{FitnessNote, NewKey, Secret, SecretRequest};
use privyseal_pkcs11::provision::{generate_key, put_certificates};
use privyseal_pkcs11::{Error, LoginPolicy, Pkcs11Signer, Pkcs11Uri, list_public, module_info};
use privyseal_test_base::clock::now;
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_pki::{CertificateSpec, TestPki};
use privyseal_test_suite as suite;
use privyseal_test_suite::kryoptic::KryopticToken;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};
use privyseal_test_suite::tpm::TpmToken;

const LABEL: &str = "vendor";

/// What differs from vendor to vendor.
#[derive(Clone, Copy)]
struct Vendor<'v> {
    label: &'v str,
    query: &'v str,
    /// Whether its keys can be made to sign and nothing else.
    signs_only: bool,
    stores_certificates: bool,
}

fn pin(
    text: &'static str,
) -> impl FnMut(&SecretRequest) -> Result<Secret, privyseal_hsm::SecretUnavailable> {
    move |_| Secret::new(text)
}

fn is_as_every_token(vendor: Vendor<'_>) {
    let uri = |rest: &str| -> Pkcs11Uri {
        format!("pkcs11:token={}{rest}?{}", vendor.label, vendor.query)
            .parse()
            .unwrap()
    };
    let login = LoginPolicy::default();

    // A wrong PIN first, while nothing else is logged in.
    let wrong = Pkcs11Signer::open(&uri(";object=seal"), &mut pin("97531"), login);
    let error = wrong.map(drop).unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::PinIncorrect, "{error}");
    assert!(error.to_string().contains("one try was spent"), "{error}");

    let new = NewKey::default();
    let made = generate_key(&uri(";object=seal"), &mut pin(PIN), login, &new).unwrap();
    assert_eq!(
        made.notes.contains(&FitnessNote::MayDoMore),
        !vendor.signs_only
    );
    let again = generate_key(&uri(";object=seal"), &mut pin(PIN), login, &new).unwrap_err();
    assert!(matches!(again, Error::Taken { .. }), "{again}");
    let unsized_key = generate_key(&uri(";object=odd"), &mut pin(PIN), login, &new.bits(1000));
    assert!(unsized_key.is_err());

    let mut signer = Pkcs11Signer::open(&made.uri, &mut pin(PIN), login).unwrap();
    assert_eq!(Some(signer.public_key()), made.public_key.as_ref());
    let spki = suite::spki(signer.public_key());
    let chain = TestPki::new().chain(&spki, &CertificateSpec::seal());
    suite::run(&mut signer, &chain, now());

    if vendor.stores_certificates {
        let stored = put_certificates(&made.uri, &mut pin(PIN), login, &chain, false).unwrap();
        assert_eq!(stored.len(), chain.len());
        assert_eq!(signer.certificates().unwrap(), chain);
        let stranger = &chain[1..];
        let refused = put_certificates(&made.uri, &mut pin(PIN), login, stranger, false);
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("is not for pkcs11:")
        );
        let shown = list_public(&uri("")).unwrap();
        assert_eq!(
            (shown.keys.len(), shown.certificates.len()),
            (1, chain.len())
        );
    }
    let info = module_info(&uri("")).unwrap();
    let token = info.slots.iter().find(|slot| slot.matches_uri).unwrap();
    assert!(
        token
            .uri
            .as_ref()
            .unwrap()
            .to_string()
            .contains(vendor.label)
    );
}

/// Runs the same in a process of its own, where `environment` names the token.
fn in_own_process(name: &str, environment: Vec<(String, OsString)>) {
    OwnProcess::new(name).environment(environment).must_pass();
}

fn path(module: &Path) -> String {
    format!("module-path={}", module.display())
}

#[test]
fn softhsm_is_as_every_token() {
    const NAME: &str = "softhsm_is_as_every_token";
    if is_child(NAME) {
        return is_as_every_token(Vendor {
            label: LABEL,
            query: &path(&SoftHsmToken::module()),
            signs_only: true,
            stores_certificates: true,
        });
    }
    let token = SoftHsmToken::new(LABEL);
    in_own_process(
        NAME,
        vec![("SOFTHSM2_CONF".into(), token.configuration().into())],
    );
}

#[test]
fn kryoptic_is_as_every_token() {
    const NAME: &str = "kryoptic_is_as_every_token";
    if is_child(NAME) {
        return is_as_every_token(Vendor {
            label: LABEL,
            query: &path(&KryopticToken::module()),
            signs_only: true,
            stores_certificates: true,
        });
    }
    let token = KryopticToken::new(LABEL);
    in_own_process(NAME, token.environment());
}

#[test]
fn a_tpm_is_as_every_token() {
    const NAME: &str = "a_tpm_is_as_every_token";
    if is_child(NAME) {
        return is_as_every_token(Vendor {
            label: LABEL,
            query: &path(&TpmToken::module()),
            signs_only: false,
            stores_certificates: true,
        });
    }
    let token = TpmToken::new(LABEL);
    in_own_process(NAME, token.environment());
}

/// The library comes with Firefox and with `libnss3`.
fn softokn() -> PathBuf {
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
    ];
    let mut places = folders
        .iter()
        .map(|it| Path::new(it).join("libsoftokn3.so"));
    let found = places.find(|path| path.exists());
    found.expect("NSS is not installed: run `cargo xtask setup`")
}

#[test]
fn nss_is_as_every_token() {
    const NAME: &str = "nss_is_as_every_token";
    const NSS: &str = "NSS%20Certificate%20DB";
    if !is_child(NAME) {
        let directory = tempfile::tempdir().unwrap();
        return in_own_process(NAME, vec![("NSS_DIR".into(), directory.path().into())]);
    }
    let directory = std::env::var("NSS_DIR").unwrap();
    let arguments = format!("configdir%3D%27sql:{directory}%27%20flags%3D");
    let query = format!("{}&module-init-args={arguments}", path(&softokn()));
    // Initializes it; then it gets its password.
    module_info(&format!("pkcs11:?{query}").parse().unwrap()).unwrap();
    let other = Pkcs11::new(softokn()).unwrap();
    let is_database =
        |slot: &Slot| other.get_token_info(*slot).unwrap().label() == "NSS Certificate DB";
    let slots = other.get_slots_with_token().unwrap();
    let session = other.open_rw_session(slots.into_iter().find(is_database).unwrap());
    let session = session.unwrap();
    session
        .login(UserType::So, Some(&AuthPin::from("")))
        .unwrap();
    session.init_pin(&AuthPin::from(PIN)).unwrap();
    session.logout().unwrap();
    session.close().unwrap();
    is_as_every_token(Vendor {
        label: NSS,
        query: &query,
        signs_only: true,
        stores_certificates: true,
    });
}
