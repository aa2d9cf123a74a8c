//! From URI to token string, with both mechanisms.

use cryptoki::mechanism::MechanismType;
use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::signer::SignerErrorKind;
use privyseal_core::{
    AssertionRequest, ClientId, Credential, Jti, Signer, SignerError as _, UnixTime, limits, scheme,
};
use privyseal_hsm::{FitnessNote, KeyUnfit};
use privyseal_pkcs11::{Error, Pkcs11Signer, SigningMechanism};

use crate::fixture::{SoftHsm, ca, leaf, only, open};

pub(crate) fn fill(softhsm: &SoftHsm) {
    let (root, sub) = (ca("Root", "k1"), ca("Sub", "k2"));
    let token = softhsm.token("sign");
    token.certificate("root", &[], &root.certificate);
    token.certificate("sub", &[], &root.certify(&sub));
    let plain = token.generated_key("plain", &[1]);
    let hashing = [only(MechanismType::SHA256_RSA_PKCS)];
    let hashing = token.rsa_key("hashing", &[2], 2048, &hashing);
    token.certificate("plain", &[1], &leaf("plain", &plain, &sub));
    token.certificate("hashing", &[2], &leaf("hashing", &hashing, &sub));
    token.rsa_key(
        "pss",
        &[3],
        2048,
        &[only(MechanismType::SHA256_RSA_PKCS_PSS)],
    );
    token.rsa_key("3072", &[4], 3072, &[]);
}

/// The whole pipeline; the core verifies the signature with the leaf's key before it releases it.
fn sign(signer: &mut Pkcs11Signer, jti: &str) -> String {
    let chain = signer.certificates().expect("a chain on the token");
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let chain = Chain::order(&chain)
        .expect("an order")
        .prove(&RsaLinks)
        .expect("a proof");
    let client = ClientId::new("EU.EORI.NL123456789").expect("a client id");
    let header = vec![0; limits::MAX_HEADER];
    let credential = Credential::new(&scheme::FIAM, client, &chain, signer.public_key(), header)
        .expect("a credential");
    let now = UnixTime::from_secs(chain.leaf().expect("a leaf").not_before().as_secs() + 60);
    let request = AssertionRequest::new(now.expect("a time"), Jti::new(jti).expect("a jti"));
    let mut buffer = vec![0; limits::MAX_COMPACT_JWS];
    let input = credential.prepare(&request).expect("an input");
    input
        .sign(signer, &mut buffer)
        .expect("a token")
        .as_str()
        .to_owned()
}

#[test]
fn the_digest_info_is_signed() {
    let mut signer = open("token=sign;object=plain").unwrap();
    assert_eq!(signer.mechanism(), SigningMechanism::RsaPkcs);
    let token = sign(&mut signer, "one");
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(sign(&mut signer, "one"), token, "RS256 is deterministic");
    assert_ne!(sign(&mut signer, "two"), token);
}

#[test]
fn the_token_hashes_where_it_insists() {
    let mut signer = open("token=sign;id=%02").unwrap();
    assert_eq!(signer.mechanism(), SigningMechanism::Sha256RsaPkcs);
    assert_eq!(sign(&mut signer, "one").split('.').count(), 3);
}

#[test]
fn no_mechanism_fits() {
    let error = open("token=sign;object=pss").unwrap_err();
    assert!(
        matches!(
            error,
            Error::Key {
                reason: KeyUnfit::NoMechanism,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.kind(), SignerErrorKind::KeyUnfit);
    assert!(error.to_string().contains("object=pss"), "{error}");
}

#[test]
fn larger_keys() {
    let signer = open("token=sign;object=3072").unwrap();
    assert_eq!(signer.public_key().bits(), 3072);
}

#[test]
fn its_uri_opens_the_same_key() {
    let signer = open("token=sign;object=plain").unwrap();
    let text = signer.uri().to_string();
    assert!(
        text.contains("token=sign;id=%01;object=plain;type=private?module-path="),
        "{text}"
    );
    let again = Pkcs11Signer::open(
        &text.parse().unwrap(),
        &mut crate::fixture::right_pin,
        privyseal_pkcs11::LoginPolicy::default(),
    );
    assert_eq!(again.unwrap().public_key(), signer.public_key());
    assert_eq!(
        signer.notes(),
        &[] as &[FitnessNote],
        "sensitive and not extractable"
    );
}

#[test]
fn a_signer_can_move_to_another_thread() {
    let mut signer = open("token=sign;object=plain").unwrap();
    let here = sign(&mut signer, "moved");
    let there = std::thread::spawn(move || sign(&mut signer, "moved"))
        .join()
        .unwrap();
    assert_eq!(here, there);
}

#[test]
fn many_signers_at_once() {
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let open_and_sign = || sign(&mut open("token=sign;object=plain").unwrap(), "same");
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(open_and_sign)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(tokens.iter().all(|token| *token == tokens[0]));
}
