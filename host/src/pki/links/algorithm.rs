//! Signature algorithms of certificates and CRLs, by their identifiers.

use der::asn1::ObjectIdentifier;
use privyseal_core::jws::Algorithm as RsaAlgorithm;

/// How a certificate or a CRL was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 appendix A.2.4).
    Rsa(RsaAlgorithm),
    /// ECDSA, the signature as DER (RFC 5758 section 3.2).
    Ecdsa(EcDigest),
}

/// The hash functions that ECDSA is verified with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EcDigest {
    Sha256,
    Sha384,
}

const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

impl Algorithm {
    /// The algorithm of that identifier, if it is one that is verified here.
    pub(crate) fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Some(match *oid {
            SHA256_WITH_RSA => Self::Rsa(RsaAlgorithm::Rs256),
            SHA384_WITH_RSA => Self::Rsa(RsaAlgorithm::Rs384),
            SHA512_WITH_RSA => Self::Rsa(RsaAlgorithm::Rs512),
            ECDSA_WITH_SHA256 => Self::Ecdsa(EcDigest::Sha256),
            ECDSA_WITH_SHA384 => Self::Ecdsa(EcDigest::Sha384),
            _ => return None,
        })
    }
}
