//! What stands behind a reference is asked: signer, signer of certification requests, unwrapper.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use core::fmt;

use privyseal_core::cert::{Chain, KeyUsage, RsaLinks};
use privyseal_core::csr::{
    CertificationRequestInfo, Subject, SubjectAttribute, SubjectAttributeType,
};
use privyseal_core::error::SignError;
use privyseal_core::rsa::Signature;
use privyseal_core::{
    AssertionRequest, CertificationRequestSigner, ClientId, Credential, Jti, KeyEncryption,
    RsaPublicKey, Signer, SignerError, SignerErrorKind, SigningInput, UnixTime, Unwrapper, limits,
    scheme,
};

/// Does nothing but say what it was asked for.
struct Mute {
    key: RsaPublicKey,
}

#[derive(Debug, PartialEq, Eq)]
struct Asked(&'static str);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for Asked {}

impl SignerError for Asked {
    fn kind(&self) -> SignerErrorKind {
        SignerErrorKind::Other
    }
}

impl Signer for Mute {
    type Error = Asked;

    fn public_key(&self) -> &RsaPublicKey {
        &self.key
    }

    fn sign(&mut self, _: &SigningInput<'_>, _: &mut Signature) -> Result<(), Asked> {
        Err(Asked("an assertion"))
    }
}

impl CertificationRequestSigner for Mute {
    fn sign_certification_request(
        &mut self,
        _: &CertificationRequestInfo<'_>,
        _: &mut Signature,
    ) -> Result<(), Asked> {
        Err(Asked("a certification request"))
    }
}

impl Unwrapper for Mute {
    type Error = Asked;

    fn public_key(&self) -> &RsaPublicKey {
        &self.key
    }

    fn unwrap_key(&mut self, _: KeyEncryption, _: &[u8], _: &mut [u8]) -> Result<usize, Asked> {
        Err(Asked("a content key"))
    }
}

#[test]
fn a_reference_asks_what_it_refers_to() {
    const FIXTURES: [&[u8]; 4] = [
        include_bytes!("../../host-tests/fixtures/ishare-test-chain/0-leaf.der"),
        include_bytes!("../../host-tests/fixtures/ishare-test-chain/1-issuing-ca.der"),
        include_bytes!("../../host-tests/fixtures/ishare-test-chain/2-sub-ca.der"),
        include_bytes!("../../host-tests/fixtures/ishare-test-chain/3-root-ca.der"),
    ];
    let chain = Chain::order(&FIXTURES).unwrap().prove(&RsaLinks).unwrap();
    let key = chain.leaf().unwrap().rsa_key().unwrap();
    let mut mute = Mute { key: key.clone() };
    let mut borrowed = &mut mute;

    let client_id = ClientId::new("EU.EORI.NL123456789").unwrap();
    let mut header = vec![0; limits::MAX_HEADER];
    let credential = Credential::new(
        &scheme::FIAM,
        client_id,
        &chain,
        &key,
        header.as_mut_slice(),
    )
    .unwrap();
    let now = UnixTime::from_secs(1_780_272_000).unwrap();
    let request = AssertionRequest::new(now, Jti::new("j").unwrap());
    let input = credential.prepare(&request).unwrap();
    let mut buffer = vec![0; limits::MAX_COMPACT_JWS];
    let asked = input.sign(&mut borrowed, &mut buffer).unwrap_err();
    assert!(
        matches!(asked, SignError::Signer(Asked("an assertion"))),
        "{asked}"
    );
    assert_eq!(*Signer::public_key(&borrowed), key);

    let name = SubjectAttribute::new(SubjectAttributeType::CommonName, "A").unwrap();
    let subject = Subject::new(&[name]).unwrap();
    let usages = [KeyUsage::NonRepudiation].into_iter().collect();
    let info = CertificationRequestInfo::new(&subject, usages, &key).unwrap();
    let asked = info.sign(&mut borrowed, &mut buffer).unwrap_err();
    assert!(
        matches!(asked, SignError::Signer(Asked("a certification request"))),
        "{asked}"
    );

    let asked = Unwrapper::unwrap_key(&mut borrowed, KeyEncryption::RsaOaep, &[], &mut []);
    assert_eq!(asked, Err(Asked("a content key")));
    assert_eq!(*Unwrapper::public_key(&borrowed), key);
}
