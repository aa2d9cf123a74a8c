//! The key's certificate chain, as far as it is on the token.
//!
//! The leaf is the certificate whose public key is the signer's: `CKA_ID` says where to look first, but
//! only the modulus proves it. Each issuer is found by its subject name, and where more than one
//! certificate has that name (a CA that changed its key), by the signature. What is returned is not
//! proved; `privyseal_core::cert::Chain` does that.

mod chain;

use cryptoki_sys::{
    CK_OBJECT_HANDLE, CKA_CERTIFICATE_TYPE, CKA_ID, CKA_LABEL, CKA_VALUE, CKC_X_509,
    CKO_CERTIFICATE,
};
use privyseal_core::RsaPublicKey;
use privyseal_hsm::{HeldCertificate, public_key};

pub(crate) use chain::of_key;

use crate::error::CallError;
use crate::object::{self, ObjectName};
use crate::session::OpenSession;

/// Room for an attribute of a certificate, in words: most certificates have fewer than 4 KiB.
const WORDS: usize = 512;

/// A certificate on a token.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenCertificate {
    pub(crate) handle: CK_OBJECT_HANDLE,
    pub(crate) name: ObjectName,
    pub(crate) der: Vec<u8>,
    /// Its public key, where it can be read and is one that can sign assertions.
    pub(crate) public: Option<RsaPublicKey>,
}

/// All X.509 certificates on the token. One without a value (`CKA_URL` only) is passed over.
pub(crate) fn all(session: &OpenSession) -> Result<Vec<TokenCertificate>, CallError> {
    let x509 = CKC_X_509.to_ne_bytes();
    let mut certificates = Vec::new();
    for handle in object::find(session, CKO_CERTIFICATE, &[(CKA_CERTIFICATE_TYPE, &x509)])? {
        let kinds = [CKA_VALUE, CKA_LABEL, CKA_ID];
        let [der, label, id] = object::read::<WORDS, _>(session, handle, kinds)?;
        let Some(der) = der.filter(|der| !der.is_empty()) else {
            continue;
        };
        certificates.push(TokenCertificate {
            handle,
            name: ObjectName::new(label, id),
            public: public_key(&der),
            der,
        });
    }
    Ok(certificates)
}

/// Which certificate of `heap` there is for the key with this public key and `CKA_ID`.
pub(crate) fn held(heap: &[TokenCertificate], key: &RsaPublicKey, id: &[u8]) -> HeldCertificate {
    if heap.iter().any(|found| found.public.as_ref() == Some(key)) {
        HeldCertificate::Matching
    } else if !id.is_empty() && heap.iter().any(|found| found.name.id == id) {
        HeldCertificate::OfAnotherKey
    } else {
        HeldCertificate::None
    }
}
