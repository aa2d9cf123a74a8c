//! The chain on the token, in every disorder.

use privyseal_core::signer::Signer as _;
use privyseal_hsm::{FitnessNote, KeyPolicy};
use privyseal_pkcs11::{CertificateError, Error, Pkcs11Signer, SignerOptions};

use crate::fixture::{SoftHsm, ca, leaf, open, right_pin, uri};

pub(crate) fn fill(softhsm: &SoftHsm) {
    let (root, sub) = (ca("Root", "k1"), ca("Sub", "k2"));

    // Chains of these lengths, the leaf included.
    for (label, length) in [("six", 6), ("seven", 7)] {
        let token = softhsm.token(label);
        let key = token.rsa_key("k", &[1], 2048, &[]);
        let cas: Vec<_> = (1..length)
            .map(|level| ca(&format!("CA {level}"), "k1"))
            .collect();
        token.certificate("top", &[], &cas[0].certificate);
        for pair in cas.windows(2) {
            token.certificate("ca", &[], &pair[0].certify(&pair[1]));
        }
        token.certificate("leaf", &[1], &leaf("leaf", &key, &cas[cas.len() - 1]));
    }

    // Two CAs that certified each other, and no root.
    let token = softhsm.token("loop");
    let key = token.rsa_key("k", &[1], 2048, &[]);
    token.certificate("root by sub", &[], &sub.certify(&root));
    token.certificate("sub by root", &[], &root.certify(&sub));
    token.certificate("leaf", &[1], &leaf("leaf", &key, &sub));

    // A CA that changed its key: same name, the wrong certificate twice around the right one.
    let token = softhsm.token("rollover");
    let key = token.rsa_key("k", &[1], 2048, &[]);
    token.certificate("old", &[], &ca("Root", "k2").certificate);
    token.certificate("right", &[], &root.certificate);
    token.certificate("older", &[], &ca("Root", "k3").certificate);
    token.certificate("junk", &[], b"not a certificate");
    token.certificate("leaf", &[1], &leaf("leaf", &key, &root));

    // The leaf has another CKA_ID than the key; a stranger's certificate has the key's.
    let token = softhsm.token("by modulus");
    let key = token.rsa_key("k", &[1], 2048, &[]);
    let stranger = token.rsa_key("stranger", &[2], 2048, &[]);
    token.certificate("stranger's", &[1], &leaf("stranger", &stranger, &root));
    token.certificate("root", &[], &root.certificate);
    token.certificate("leaf", &[9], &leaf("leaf", &key, &root));

    // A leaf that was renewed, by another CA.
    let token = softhsm.token("renewed");
    let key = token.rsa_key("k", &[1], 2048, &[]);
    token.certificate("root", &[], &root.certificate);
    token.certificate("old", &[9], &leaf("old", &key, &root));
    token.certificate("sub", &[], &root.certify(&sub));
    token.certificate("new", &[1], &leaf("new", &key, &sub));

    let token = softhsm.token("mismatch");
    token.rsa_key("k", &[1], 2048, &[]);
    token.certificate("stranger's", &[1], &leaf("stranger", &stranger, &root));
    token.skip_key();
    token.rsa_key("bare", &[7], 2048, &[]);
    softhsm
        .token("no certificate")
        .rsa_key("k", &[1], 2048, &[]);
}

/// The common names of a chain, leaf first.
fn names(path: &str) -> Vec<String> {
    let chain = open(path).unwrap().certificates().unwrap();
    let name = |der: &Vec<u8>| {
        let certificate = privyseal_core::cert::Certificate::from_der(der).unwrap();
        certificate.subject().common_name().unwrap().to_owned()
    };
    chain.iter().map(name).collect()
}

#[test]
fn leaf_to_root_whatever_their_order_on_the_token() {
    assert_eq!(
        names("token=six"),
        ["leaf", "CA 5", "CA 4", "CA 3", "CA 2", "CA 1"]
    );
}

#[test]
fn one_too_many() {
    let error = open("token=seven").unwrap().certificates().unwrap_err();
    assert!(
        matches!(error, Error::Certificates(CertificateError::TooMany)),
        "{error}"
    );
    assert!(
        error.to_string().contains("more than 6 certificates"),
        "{error}"
    );
}

#[test]
fn a_loop_ends() {
    assert_eq!(names("token=loop"), ["leaf", "Sub", "Root"]);
}

#[test]
fn of_cas_with_one_name_the_one_that_signed() {
    let signer = open("token=rollover").unwrap();
    let chain = signer.certificates().unwrap();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let chain = privyseal_core::cert::Chain::order(&chain).unwrap();
    let proven = chain.prove(&privyseal_core::cert::RsaLinks).unwrap();
    assert_eq!(proven.certificates().len(), 2);
}

#[test]
fn the_modulus_decides_not_the_id() {
    let signer = open("token=by%20modulus;object=k").unwrap();
    let chain = signer.certificates().unwrap();
    let leaf = privyseal_core::cert::Certificate::from_der(&chain[0]).unwrap();
    assert_eq!(&leaf.rsa_key().unwrap(), signer.public_key());
    assert_eq!(names("token=by%20modulus;object=k"), ["leaf", "Root"]);
}

#[test]
fn several_leaves_come_each_with_its_issuers() {
    assert_eq!(names("token=renewed"), ["new", "Sub", "Root", "old"]);
}

#[test]
fn no_certificate_for_this_key() {
    for (path, words) in [
        (
            "token=mismatch;object=bare",
            "none is for this key; there is pkcs11:id=%01;object=",
        ),
        ("token=no%20certificate", "there are none"),
    ] {
        let error = open(path).unwrap().certificates().unwrap_err();
        assert!(error.to_string().contains(words), "{path}: {error}");
    }
}

#[test]
fn a_strangers_certificate_with_the_keys_id() {
    let path = "token=mismatch;object=k";
    let error = open(path).unwrap_err();
    assert!(
        error.to_string().contains("belongs to another key"),
        "{error}"
    );
    let options = SignerOptions::default().key(KeyPolicy::default().allow_other_certificate(true));
    let signer = Pkcs11Signer::open_with(&uri(path), right_pin, &options).unwrap();
    assert_eq!(signer.notes(), [FitnessNote::OtherCertificate]);
    let error = signer.certificates().unwrap_err();
    assert!(
        error.to_string().contains("belongs to another key"),
        "{error}"
    );
}
