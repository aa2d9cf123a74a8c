//! Proves an `x5c` chain with `rustls-webpki`, up to one trusted root.

use std::io;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::refusal::Refusal;

/// A root on the trusted list; here, the whole list.
#[derive(Debug)]
pub struct TrustedRoot {
    der: Vec<u8>,
    anchor: TrustAnchor<'static>,
}

impl TrustedRoot {
    /// Trusts a certificate (DER).
    pub fn new(der: &[u8]) -> io::Result<Self> {
        let certificate = CertificateDer::from(der);
        let anchor = anchor_from_trusted_cert(&certificate)
            .map_err(|error| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the trusted root: {error}"),
                )
            })?
            .to_owned();
        Ok(Self {
            der: der.to_vec(),
            anchor,
        })
    }

    /// Proves a chain (DER; leaf first, root last) at `now` (seconds since the epoch); gives the
    /// leaf's `RSAPublicKey`, DER.
    pub(super) fn leaf_key(&self, chain: &[Vec<u8>], now: u64) -> Result<Vec<u8>, Refusal> {
        let [leaf, between @ .., root] = chain else {
            return Err(wrong("has no leaf and root"));
        };
        if *root != self.der {
            return Err(wrong("does not end in a root of the trusted list"));
        }
        self.prove(leaf, between, now)?;
        seal_key(leaf)
    }

    fn prove(&self, leaf: &[u8], between: &[Vec<u8>], now: u64) -> Result<(), Refusal> {
        let leaf = CertificateDer::from(leaf);
        let leaf =
            EndEntityCert::try_from(&leaf).map_err(|error| wrong(&format!("leaf: {error}")))?;
        let between: Vec<_> = between
            .iter()
            .map(|der| CertificateDer::from(&der[..]))
            .collect();
        let path = leaf
            .verify_for_usage(
                &[RSA_PKCS1_2048_8192_SHA256],
                std::slice::from_ref(&self.anchor),
                &between,
                UnixTime::since_unix_epoch(Duration::from_secs(now)),
                AnyUsage,
                None,
                None,
            )
            .map_err(|error| wrong(&error.to_string()))?;
        // Each certificate certifies the one before it (RFC 7515 section 4.1.6): no other order, no extra.
        let used = path.intermediate_certificates().map(webpki::Cert::der);
        if used.eq(between.iter().cloned()) {
            Ok(())
        } else {
            Err(wrong("is not in order"))
        }
    }
}

/// The public key of a leaf that may seal: RSA, and no key usage but for signatures.
fn seal_key(leaf: &[u8]) -> Result<Vec<u8>, Refusal> {
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| wrong("has an unreadable leaf"))?;
    let usage = leaf
        .key_usage()
        .map_err(|_| wrong("has an unreadable key usage"))?;
    if !usage.is_some_and(|usage| usage.value.non_repudiation() || usage.value.digital_signature())
    {
        return Err(wrong(
            "has a leaf that is no seal: its key usage is not for signatures",
        ));
    }
    Ok(leaf.public_key().subject_public_key.data.to_vec())
}

fn wrong(what: &str) -> Refusal {
    Refusal::invalid_client(format!("the certificate chain {what}"))
}

/// Seals come with all sorts of extended key usages, or none.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
