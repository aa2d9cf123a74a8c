//! Which keys decrypt. That they decrypt rightly is tested in `host-tests/pkcs11-tests/tests/unwrappers.rs`.

use cryptoki::mechanism::MechanismType;
use cryptoki::object::Attribute;
use privyseal_core::{KeyEncryption, SignerError as _, SignerErrorKind, Unwrapper as _};
use privyseal_hsm::KeyUnfit;
use privyseal_pkcs11::{Error, Pkcs11Unwrapper, SignerOptions};

use crate::fixture::{SoftHsm, only, right_pin, softhsm, uri};

pub(crate) fn fill(softhsm: &SoftHsm) {
    let token = softhsm.token("decrypt");
    token.rsa_key("signs", &[1], 2048, &[Attribute::Decrypt(false)]);
    token.rsa_key(
        "decrypts",
        &[2],
        2048,
        &[Attribute::Sign(false), Attribute::Decrypt(true)],
    );
    let pkcs = only(MechanismType::RSA_PKCS);
    token.rsa_key("other", &[3], 2048, &[Attribute::Decrypt(false), pkcs]);
    let oaep = softhsm.token("decrypt by list");
    let pkcs = only(MechanismType::RSA_PKCS);
    oaep.rsa_key("pkcs", &[1], 2048, &[Attribute::Decrypt(true), pkcs]);
}

fn open(path: &str) -> Result<Pkcs11Unwrapper, Error> {
    Pkcs11Unwrapper::open_as(&uri(path), &mut right_pin, &SignerOptions::default())
}

#[test]
fn of_several_keys_the_one_that_decrypts_is_meant() {
    softhsm();
    let unwrapper = open("token=decrypt").unwrap();
    assert_eq!(unwrapper.uri().object(), Some("decrypts"));
    assert_eq!(unwrapper.token().label, "decrypt");
}

#[test]
fn a_key_that_may_not_is_refused_by_name() {
    softhsm();
    for (path, reason, words) in [
        (
            "token=decrypt;object=signs",
            KeyUnfit::MayNotDecrypt,
            "CKA_DECRYPT",
        ),
        (
            "token=decrypt%20by%20list",
            KeyUnfit::NoOaep,
            "CKM_RSA_PKCS_OAEP",
        ),
    ] {
        let error = open(path).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::KeyUnfit);
        assert!(error.to_string().contains(words), "{error}");
        assert!(
            matches!(error, Error::Key { reason: found, .. } if found == reason),
            "{error}"
        );
    }
}

/// A length that cannot be right does not reach the token; neither kind of failure costs the session.
#[test]
fn what_cannot_be_decrypted_is_said_so() {
    softhsm();
    let mut unwrapper = open("token=decrypt").unwrap();
    for encrypted in [&[][..], &[1; 255], &[1; 256], &[0xff; 256], &[1; 257]] {
        let error = unwrapper
            .unwrap_key(KeyEncryption::RsaOaep, encrypted, &mut [0; 64])
            .unwrap_err();
        assert!(matches!(error, Error::Undecipherable), "{error}");
        assert_eq!(error.kind(), SignerErrorKind::Undecipherable);
    }
}
