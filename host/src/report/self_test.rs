//! One signature before the first real one.
//!
//! A host that serves for weeks wants to know when it starts, and not at its first request, that the key
//! can sign. What is signed is a certification request that is discarded: as sealed as an assertion, and
//! useless to anyone. So no token is made that a server would accept.

use privyseal_core::cert::KeyUsages;
use privyseal_core::csr::{Subject, SubjectAttribute, SubjectAttributeType};
use privyseal_core::limits::MAX_CERTIFICATION_REQUEST;
use privyseal_core::{CertificationRequestInfo, CertificationRequestSigner, SignError};

/// The subject of the request: nobody (RFC 2606 section 2).
const NOBODY: &str = "self-test.invalid";

/// Has `signer` sign once and verifies the signature. To be called before serving.
///
/// # Errors
///
/// Trouble with the signer, or a signature that does not verify.
pub fn self_test<S: CertificationRequestSigner>(signer: &mut S) -> Result<(), SignError<S::Error>> {
    let name = SubjectAttribute::new(SubjectAttributeType::CommonName, NOBODY);
    let subject = name.and_then(|name| Subject::new(&[name]));
    let subject = subject.map_err(|error| SignError::Token(error.into()))?;
    let info = CertificationRequestInfo::new(&subject, KeyUsages::default(), signer.public_key());
    let mut buffer = [0; MAX_CERTIFICATION_REQUEST];
    let request = info.map_err(SignError::Token)?.sign(signer, &mut buffer);
    request.map(drop)
}
