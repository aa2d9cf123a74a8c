//! The one other thing that a key may sign: PKCS #10 requests, judged by OpenSSL and by x509-cert.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::fs;

use privyseal_core::cert::{KeyUsage, KeyUsages};
use privyseal_core::csr::{
    CertificationRequestInfo, Subject, SubjectAttribute, SubjectAttributeType as Type,
};
use privyseal_core::limits::{
    MAX_CERTIFICATION_REQUEST, MAX_SUBJECT_ATTRIBUTES, MAX_SUBJECT_VALUE,
};
use privyseal_core::{
    CertificationRequestSigner, Error, RsaPublicKey, SignError, Signature, Signer,
};
use privyseal_hsm::{Secret, SecretProvider, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{LoginPolicy, Pkcs11Signer, Pkcs11Uri};
use privyseal_test_base::tool;
use privyseal_test_pki::test_key;
use privyseal_test_suite as suite;
use privyseal_test_suite::softhsm::{self, SoftHsmToken, in_own_process};
use privyseal_test_suite::software_signer::{SoftwareSigner, SoftwareSignerError};
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::request::CertReq;

const SEAL: [(Type, &str); 5] = [
    (Type::Country, "NL"),
    (Type::Organization, "Caf\u{e9} Test"),
    (Type::OrganizationIdentifier, "NTRNL-12345678"),
    (Type::SerialNumber, "EU.EORI.NL123456789"),
    (Type::CommonName, "Test eSeal"),
];

fn request<S: CertificationRequestSigner>(
    signer: &mut S,
    attributes: &[(Type, &str)],
    usages: &[KeyUsage],
) -> Result<Vec<u8>, SignError<S::Error>> {
    let attributes: Vec<_> = attributes
        .iter()
        .map(|&(kind, value)| SubjectAttribute::new(kind, value).unwrap())
        .collect();
    let subject = Subject::new(&attributes).unwrap();
    let usages: KeyUsages = usages.iter().copied().collect();
    let info = CertificationRequestInfo::new(&subject, usages, signer.public_key()).unwrap();
    let mut buffer = vec![0; MAX_CERTIFICATION_REQUEST];
    let request = info.sign(signer, &mut buffer)?;
    Ok(request.as_der().to_vec())
}

/// What `openssl req` reads, after it has verified the signature.
fn openssl_reads(der: &[u8]) -> String {
    let arguments = "req -inform DER -verify -noout -text -nameopt utf8,sep_comma_plus,sname";
    let mut command = tool::command("openssl", arguments.split(' '));
    let output = tool::output(&mut command, der);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && said.contains("verify OK"),
        "{said}"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn openssl_verifies_requests_of_every_key_size() {
    let usages = [KeyUsage::DigitalSignature, KeyUsage::NonRepudiation];
    for bits in [2048, 3072, 4096] {
        let key = test_key("seal", bits);
        let der = request(&mut SoftwareSigner::new(&key), &SEAL, &usages).unwrap();
        let text = openssl_reads(&der);
        for line in [
            "C=NL,O=Caf\u{e9} Test,organizationIdentifier=NTRNL-12345678,\
             serialNumber=EU.EORI.NL123456789,CN=Test eSeal",
            &format!("({bits} bit)"),
            "Digital Signature, Non Repudiation",
            "X509v3 Key Usage: critical",
            "sha256WithRSAEncryption",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
    }
}

#[test]
fn another_parser_reads_back_what_was_asked() {
    let key = test_key("seal", 2048);
    let der = request(&mut SoftwareSigner::new(&key), &SEAL, &[]).unwrap();
    let parsed = CertReq::from_der(&der).unwrap();
    assert_eq!(
        parsed.to_der().unwrap(),
        der,
        "it is DER: encoded again, it is the same"
    );
    assert_eq!(parsed.info.public_key.to_der().unwrap(), key.spki_der());
    assert!(parsed.info.attributes.is_empty());
    assert_eq!(parsed.info.subject.iter_rdn().count(), SEAL.len());
}

#[test]
fn the_largest_request_is_within_its_limit() {
    let value = "\u{1f511}".repeat(MAX_SUBJECT_VALUE);
    let units = [(Type::OrganizationalUnit, value.as_str()); MAX_SUBJECT_ATTRIBUTES];
    let usages = [KeyUsage::DigitalSignature, KeyUsage::NonRepudiation];
    let der = request(
        &mut SoftwareSigner::new(&test_key("seal", 4096)),
        &units,
        &usages,
    )
    .unwrap();
    openssl_reads(&der);
    let spare = MAX_CERTIFICATION_REQUEST - der.len();
    assert!(spare < 128, "{spare} bytes of the limit are never used");
}

/// A signer that says it holds one key and signs with another.
struct Impostor(RsaPublicKey, SoftwareSigner);

impl Signer for Impostor {
    type Error = SoftwareSignerError;

    fn public_key(&self) -> &RsaPublicKey {
        &self.0
    }

    fn sign(
        &mut self,
        input: &privyseal_core::SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error> {
        self.1.sign(input, signature)
    }
}

impl CertificationRequestSigner for Impostor {
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error> {
        self.1.sign_certification_request(info, signature)
    }
}

#[test]
fn a_request_signed_by_another_key_never_leaves() {
    let claimed = test_key("seal", 2048).public_key();
    let mut impostor = Impostor(claimed, SoftwareSigner::new(&test_key("stranger", 2048)));
    let error = request(&mut impostor, &SEAL, &[]).unwrap_err();
    assert!(
        matches!(error, SignError::Token(Error::Signature(_))),
        "{error}"
    );
}

struct TestPin;

impl SecretProvider for TestPin {
    fn secret(&mut self, _: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        Secret::new(softhsm::PIN)
    }
}

#[test]
fn a_key_that_never_left_softhsm_signs_its_request() {
    const NAME: &str = "a_key_that_never_left_softhsm_signs_its_request";
    let fill = |token: &SoftHsmToken| {
        let spki = token.generate_key(2048, "01", "generated");
        fs::write(token.dir().join("spki"), spki).unwrap();
    };
    in_own_process(NAME, fill, |token| {
        let spki = fs::read(token.dir().join("spki")).unwrap();
        let uri: Pkcs11Uri = token.uri("generated").parse().unwrap();
        let mut signer = Pkcs11Signer::open(&uri, &mut TestPin, LoginPolicy::default()).unwrap();
        let der = request(&mut signer, &SEAL, &[KeyUsage::NonRepudiation]).unwrap();
        openssl_reads(&der);
        let parsed = CertReq::from_der(&der).unwrap();
        assert_eq!(parsed.info.public_key.to_der().unwrap(), spki);
        assert_eq!(suite::spki(signer.public_key()), spki);
    });
}
