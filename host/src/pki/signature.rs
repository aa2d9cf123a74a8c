//! Signatures of certificates, revocation lists and OCSP responses, by whatever algorithm a CA uses.
//!
//! The core verifies RSA of three sizes on fixed-size integers. Here rustls's provider verifies RSASSA-PKCS1-v1_5
//! and RSASSA-PSS of 2048 to 8192 bits, ECDSA with P-256 and P-384, and Ed25519; `p521`, a feature, the largest curve.
//! Assertions themselves stay RS256.

use std::sync::LazyLock;

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use privyseal_core::RsaPublicKey;
use privyseal_core::asn1::split_spki;
use privyseal_core::cert::LinkError;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::{KeyError, VerifyingKey};
use rustls::pki_types::{SignatureVerificationAlgorithm, alg_id};

/// An RSA key for RSASSA-PSS alone (RFC 4055 section 1.2).
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

static ALGORITHMS: LazyLock<&[&dyn SignatureVerificationAlgorithm]> = LazyLock::new(|| {
    rustls::crypto::ring::default_provider()
        .signature_verification_algorithms
        .all
});

/// What certificates, lists and OCSP responses have in common: signed bytes, an algorithm, a signature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// The signed element, DER.
    pub(crate) tbs: &'a [u8],
    /// The content of the AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    signature: &'a [u8],
    /// What follows: the certificates of an OCSP response. Nothing may follow in the other two.
    pub(crate) rest: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads the outer three elements; `None` if they are not DER.
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(der).ok()?;
        let signed = reader.sequence(|outer| {
            let tbs = outer.tlv_bytes()?;
            let algorithm = AnyRef::decode(outer)?;
            algorithm.tag().assert_eq(Tag::Sequence)?;
            let signature = BitStringRef::decode(outer)?;
            let signature = signature.as_bytes().ok_or(Tag::BitString.value_error())?;
            Ok::<_, der::Error>(Self {
                tbs,
                algorithm: algorithm.value(),
                signature,
                rest: outer.read_slice(outer.remaining_len())?,
            })
        });
        reader.finish().ok()?;
        signed.ok()
    }

    /// Whether the key of this SubjectPublicKeyInfo (DER) made the signature.
    ///
    /// # Errors
    ///
    /// [`LinkError::BadSignature`] only where that was tried; the others where it is not verified here.
    pub(crate) fn verify(&self, spki: &[u8]) -> Result<(), LinkError> {
        let (kind, key) = split(spki).ok_or(LinkError::UnknownAlgorithm)?;
        if kind == alg_id::ECDSA_P521.as_ref() && self.algorithm == alg_id::ECDSA_SHA512.as_ref() {
            return p521(key, self.tbs, self.signature);
        }
        let is_pss_only = ObjectIdentifier::from_der(kind_oid(kind)) == Ok(RSASSA_PSS);
        let kind = if is_pss_only {
            // Its parameters, where there are any, are those of what it may sign (RFC 4055 section 3.3).
            if kind.len() > kind_oid(kind).len() && kind != self.algorithm {
                return Err(LinkError::UnknownAlgorithm);
            }
            alg_id::RSA_ENCRYPTION.as_ref()
        } else {
            kind
        };
        let mut known = ALGORITHMS.iter().filter(|known| {
            known.signature_alg_id().as_ref() == self.algorithm
                && known.public_key_alg_id().as_ref() == kind
        });
        let known = known.next().ok_or(LinkError::UnknownAlgorithm)?;
        if is_pss_only && kind_oid(self.algorithm) != kind_oid(alg_id::RSA_PSS_SHA256.as_ref()) {
            return Err(LinkError::UnknownAlgorithm);
        }
        let verified = match by_core(self.algorithm, spki) {
            Some((algorithm, key)) => {
                let verified = key.verify(&algorithm.digest(self.tbs), self.signature);
                return verified.map_err(|_| LinkError::BadSignature);
            }
            None => known.verify_signature(key, self.tbs, self.signature),
        };
        verified.map_err(|_| fault(spki, kind))
    }
}

/// What the core verifies in half of the time, where a processor has AVX-512 IFMA: RSASSA-PKCS1-v1_5 of the usual sizes.
fn by_core(algorithm: &[u8], spki: &[u8]) -> Option<(Algorithm, VerifyingKey)> {
    let algorithm = match algorithm {
        _ if !VerifyingKey::is_accelerated() => return None,
        it if it == alg_id::RSA_PKCS1_SHA256.as_ref() => Algorithm::Rs256,
        it if it == alg_id::RSA_PKCS1_SHA384.as_ref() => Algorithm::Rs384,
        it if it == alg_id::RSA_PKCS1_SHA512.as_ref() => Algorithm::Rs512,
        _ => return None,
    };
    let key = RsaPublicKey::from_spki(spki).and_then(VerifyingKey::new);
    Some((algorithm, key.ok()?))
}

/// Whether the key (a point by SEC 1) made the signature.
#[cfg(feature = "p521")]
fn p521(key: &[u8], tbs: &[u8], signature: &[u8]) -> Result<(), LinkError> {
    use p521::ecdsa::signature::Verifier as _;
    use p521::ecdsa::{DerSignature, VerifyingKey};

    let signature = DerSignature::from_bytes(signature);
    VerifyingKey::from_sec1_bytes(key)
        .and_then(|key| key.verify(tbs, &signature?))
        .map_err(|_| LinkError::BadSignature)
}

#[cfg(not(feature = "p521"))]
const fn p521(_key: &[u8], _tbs: &[u8], _signature: &[u8]) -> Result<(), LinkError> {
    Err(LinkError::UnknownAlgorithm)
}

/// A wrong signature, or an RSA key that nothing can be verified with.
fn fault(spki: &[u8], kind: &[u8]) -> LinkError {
    if kind != alg_id::RSA_ENCRYPTION.as_ref() {
        return LinkError::BadSignature;
    }
    match RsaPublicKey::from_spki(spki).and_then(VerifyingKey::new) {
        // The core knows three sizes and large exponents; here all sizes between and all exponents are verified with.
        Ok(_) | Err(KeyError::Size { bits: 2048..=8192 } | KeyError::Exponent) => {
            LinkError::BadSignature
        }
        Err(error) => LinkError::IssuerKey(error),
    }
}

/// The identifier that an AlgorithmIdentifier begins with, DER; empty where there is none.
fn kind_oid(algorithm: &[u8]) -> &[u8] {
    let mut reader = SliceReader::new(algorithm).ok();
    let oid = reader.as_mut().and_then(|reader| reader.tlv_bytes().ok());
    oid.unwrap_or_default()
}

/// The content of the AlgorithmIdentifier of a SubjectPublicKeyInfo, and the key.
fn split(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    split_spki(spki).map(|(kind, key)| (kind.value(), key))
}

/// The key in a SubjectPublicKeyInfo, without its algorithm.
pub(crate) fn key_bits(spki: &[u8]) -> Option<&[u8]> {
    split(spki).map(|(_, key)| key)
}

/// What kind of public key it is, for people: `RSA-8192`, `ECDSA P-384`, `Ed25519`; the algorithm's name where it is of
/// another kind.
pub(crate) fn key_name(spki: &[u8]) -> String {
    let Some((kind, key)) = split(spki) else {
        return "malformed".to_owned();
    };
    let named = [
        (alg_id::ECDSA_P256, "ECDSA P-256"),
        (alg_id::ECDSA_P384, "ECDSA P-384"),
        (alg_id::ECDSA_P521, "ECDSA P-521"),
        (alg_id::ED25519, "Ed25519"),
    ];
    if let Some((_, name)) = named.iter().find(|(id, _)| id.as_ref() == kind) {
        return (*name).to_owned();
    }
    let oid = ObjectIdentifier::from_der(kind_oid(kind));
    let only = match oid {
        Ok(RSASSA_PSS) => " for RSASSA-PSS alone",
        _ if kind == alg_id::RSA_ENCRYPTION.as_ref() => "",
        _ => return oid.map_or_else(|_| "malformed".to_owned(), oid_name),
    };
    rsa_bits(key).map_or_else(
        || "malformed".to_owned(),
        |bits| format!("RSA-{bits}{only}"),
    )
}

/// The bits of the modulus of an RSAPublicKey.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    let modulus = reader
        .sequence(|key| {
            let modulus = der::asn1::UintRef::decode(key)?;
            der::asn1::UintRef::decode(key)?;
            Ok::<_, der::Error>(modulus)
        })
        .ok()?;
    let bytes = modulus.as_bytes();
    let leading = bytes.first().map_or(0, |byte| byte.leading_zeros());
    let bits = bytes.len().saturating_mul(8);
    Some(bits.saturating_sub(usize::try_from(leading).unwrap_or(0)))
}

/// The name of an identifier, where it has one, and the identifier.
pub(crate) fn oid_name(oid: ObjectIdentifier) -> String {
    const ARCS: [&str; 4] = ["id-kp-", "id-ce-", "id-pe-", "id-"];
    match der::oid::db::DB.by_oid(&oid) {
        Some(name) => {
            let short = ARCS.iter().find_map(|arc| name.strip_prefix(arc));
            format!("{} ({oid})", short.unwrap_or(name))
        }
        None => oid.to_string(),
    }
}
