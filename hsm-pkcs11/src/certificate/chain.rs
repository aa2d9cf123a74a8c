//! From a heap of certificates to a key's.

use std::cmp::Reverse;

use privyseal_core::RsaPublicKey;
use privyseal_core::cert::{Certificate, LinkError, RsaLinks, VerifyLink};

use super::TokenCertificate;
use crate::error::{CertificateError, first};
use crate::limits::MAX_CERTIFICATES;
use crate::uri::ObjectType;

/// The chain of the key with this public key and `CKA_ID`: leaf first, then issuers as far as they are
/// there, each once. Of several leaves (after a renewal) each has its chain: those with the key's `CKA_ID` first, and of
/// those the one that ends last.
pub(crate) fn of_key(
    heap: &[TokenCertificate],
    key: &RsaPublicKey,
    id: &[u8],
) -> Result<Vec<Vec<u8>>, CertificateError> {
    let readable: Vec<Candidate<'_>> = heap.iter().filter_map(Candidate::read).collect();
    let mut leaves: Vec<_> = readable
        .iter()
        .filter(|it| it.certificate.rsa_key().is_ok_and(|its| its == *key))
        .collect();
    if leaves.is_empty() {
        return Err(CertificateError::NoneForKey {
            same_id: !id.is_empty() && heap.iter().any(|it| it.name.id == id),
            present: first(
                heap.iter().map(|it| it.name.short(ObjectType::Certificate)),
                heap.len(),
            ),
        });
    }
    leaves.sort_by_key(|it| Reverse((it.id == id, it.certificate.not_after())));
    let mut certificates = Vec::new();
    for leaf in leaves {
        for certificate in chain(&readable, leaf.certificate)? {
            if !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
    }
    let ders = certificates.iter().map(|it| it.as_der().to_vec());
    Ok(ders.collect())
}

fn chain<'h>(
    heap: &[Candidate<'h>],
    leaf: Certificate<'h>,
) -> Result<Vec<Certificate<'h>>, CertificateError> {
    let mut chain = vec![leaf];
    while let Some(issuer) = chain.last().and_then(|last| issuer(heap, last, &chain)) {
        if chain.len() == MAX_CERTIFICATES {
            return Err(CertificateError::TooMany);
        }
        chain.push(issuer);
    }
    Ok(chain)
}

/// A certificate that can be read, and where it was found.
struct Candidate<'h> {
    id: &'h [u8],
    certificate: Certificate<'h>,
}

impl<'h> Candidate<'h> {
    fn read(found: &'h TokenCertificate) -> Option<Self> {
        let certificate = Certificate::from_der(&found.der).ok()?;
        Some(Self {
            id: &found.name.id,
            certificate,
        })
    }
}

/// The issuer of `subject`, unless that is the end of the chain: self-issued, or already in it (two CAs
/// that certified each other).
fn issuer<'h>(
    heap: &[Candidate<'h>],
    subject: &Certificate<'h>,
    chain: &[Certificate<'h>],
) -> Option<Certificate<'h>> {
    if subject.is_self_issued() {
        return None;
    }
    heap.iter()
        .map(|candidate| candidate.certificate)
        .filter(|issuer| issuer.subject() == subject.issuer() && !chain.contains(issuer))
        .max_by_key(|issuer| {
            (
                trust(subject, issuer),
                issuer.is_self_issued(),
                issuer.not_after(),
            )
        })
}

/// How much speaks for `issuer` having signed `subject`: a signature that verifies, one that cannot be
/// checked here (ECDSA), one that is wrong. The last is still returned, so that proving the chain says
/// what is wrong instead of a root being missing.
fn trust(subject: &Certificate<'_>, issuer: &Certificate<'_>) -> u8 {
    match RsaLinks.verify(subject, issuer) {
        Ok(()) => 2,
        Err(LinkError::BadSignature) => 0,
        Err(_) => 1,
    }
}
