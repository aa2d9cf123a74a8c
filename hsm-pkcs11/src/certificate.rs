//! The key's certificate chain, as far as it is on the token.
//!
//! The leaf is the certificate whose public key is the signer's: `CKA_ID` says where to look first, but
//! only the modulus proves it. Each issuer is found by its subject name, and where more than one
//! certificate has that name (a CA that changed its key), by the signature. What is returned is not
//! proved; `privyseal_core::cert::Chain` does that.

mod chain;

use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass};
use cryptoki::session::Session;
use privyseal_core::RsaPublicKey;

pub(crate) use chain::of_key;
use privyseal_hsm::{HeldCertificate, is_for};

use crate::error::CallError;
use crate::object::{self, ObjectName};

/// A certificate on a token.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenCertificate {
    pub(crate) name: ObjectName,
    pub(crate) der: Vec<u8>,
}

/// All X.509 certificates on the token. One without a value (`CKA_URL` only) is passed over.
pub(crate) fn all(session: &Session) -> Result<Vec<TokenCertificate>, CallError> {
    let template = [
        Attribute::Class(ObjectClass::CERTIFICATE),
        Attribute::CertificateType(CertificateType::X_509),
    ];
    let mut certificates = Vec::new();
    for handle in object::find(session, &template)? {
        let der = object::bytes(session, handle, AttributeType::Value)?;
        if !der.is_empty() {
            certificates.push(TokenCertificate {
                name: ObjectName::read(session, handle)?,
                der,
            });
        }
    }
    Ok(certificates)
}

/// Which certificate of `heap` there is for the key with this public key and `CKA_ID`.
pub(crate) fn held(heap: &[TokenCertificate], key: &RsaPublicKey, id: &[u8]) -> HeldCertificate {
    if heap.iter().any(|found| is_for(&found.der, key)) {
        HeldCertificate::Matching
    } else if !id.is_empty() && heap.iter().any(|found| found.name.id == id) {
        HeldCertificate::OfAnotherKey
    } else {
        HeldCertificate::None
    }
}
