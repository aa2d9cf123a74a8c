//! One SoftHSM token with one key, for a test that has the whole process to itself: it looks at what the
//! module was asked, or takes the token or the module away.
//!
//! `unsafe`: for `std::env::set_var`, which runs before any module is loaded and any thread started.
#![allow(unsafe_code)]
#![allow(dead_code, reason = "not every test needs all")]

use std::path::{Path, PathBuf};

use privyseal_core::cert::KeyUsages;
use privyseal_core::csr::{Subject, SubjectAttribute, SubjectAttributeType};
use privyseal_core::limits::MAX_CERTIFICATION_REQUEST;
use privyseal_core::{CertificationRequestInfo, CertificationRequestSigner, SignError};
use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{Error, Pkcs11Uri};
pub(crate) use privyseal_test_suite::softhsm::PIN;
use privyseal_test_suite::softhsm::SoftHsmToken;

pub(crate) struct Token {
    token: SoftHsmToken,
    pub(crate) softhsm: PathBuf,
}

impl Token {
    /// A token named `tok` with the key `k`.
    pub(crate) fn new() -> Self {
        let token = SoftHsmToken::new("tok");
        token.generate_special_key(2048, "01", "k", &[]);
        // SAFETY: see the top of the file.
        unsafe { std::env::set_var("SOFTHSM2_CONF", token.configuration()) };
        Self {
            token,
            softhsm: SoftHsmToken::module(),
        }
    }

    /// The folder that holds its files, `tokens`, and whatever else a test needs.
    pub(crate) fn directory(&self) -> &Path {
        self.token.dir()
    }

    /// The key, through `module` or SoftHSM itself.
    pub(crate) fn uri(&self, module: Option<&Path>) -> Pkcs11Uri {
        let module = module.unwrap_or(&self.softhsm).display();
        format!("pkcs11:token=tok;object=k?module-path={module}&max-sessions=3")
            .parse()
            .unwrap()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a SecretProvider")]
pub(crate) fn right_pin(_: &SecretRequest) -> Result<Secret, SecretUnavailable> {
    Ok(Secret::new(PIN).unwrap())
}

/// Has a certification request signed; the core verifies the signature before it gives the request out.
pub(crate) fn sign<S>(signer: &mut S) -> Result<Vec<u8>, SignError<Error>>
where
    S: CertificationRequestSigner<Error = Error>,
{
    let name = SubjectAttribute::new(SubjectAttributeType::CommonName, "test").unwrap();
    let subject = Subject::new(&[name]).unwrap();
    let public = signer.public_key().clone();
    let info =
        CertificationRequestInfo::new(&subject, KeyUsages::default(), &public).expect("a request");
    let mut buffer = [0; MAX_CERTIFICATION_REQUEST];
    Ok(info.sign(signer, &mut buffer)?.as_der().to_vec())
}
