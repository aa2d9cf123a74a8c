//! Whether the certificates of an answer are those of somebody who is trusted.

use privyseal_check::{Revocations as _, Verdict};
use privyseal_core::UnixTime;
use privyseal_core::cert::ClockError;
use privyseal_core::cert::{Certificate, Chain, ChainError};
use privyseal_core::scheme::ISHARE;

use super::AnswerFault;
use crate::pki::certificates::Certificates;
use crate::pki::crl::{Crl, RevocationLists};
use crate::pki::links::HostLinks;

/// The chain of these certificates (DER, as they stand in `x5c`), proved up to one that is trusted.
pub(super) fn proven<'c>(
    certificates: &'c [Vec<u8>],
    trust: &Certificates,
    crls: &[Crl],
    now: UnixTime,
) -> Result<Chain<'c>, AnswerFault> {
    let given: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
    let chain = Chain::order(&given).map_err(AnswerFault::Chain)?;
    if !chain
        .certificates()
        .iter()
        .map(Certificate::as_der)
        .eq(given)
    {
        return Err(AnswerFault::Order);
    }
    let proven = chain.prove(&HostLinks).map_err(AnswerFault::Chain)?;
    let anchors: Vec<&[u8]> = trust.iter().collect();
    if !proven.is_anchored_by(&anchors, &HostLinks) {
        return Err(AnswerFault::Untrusted);
    }
    dates(&proven, now)?;
    usage(&proven)?;
    revocation(&proven, crls, now)?;
    Ok((*proven).clone())
}

fn dates(chain: &Chain<'_>, now: UnixTime) -> Result<(), AnswerFault> {
    let validity = chain.validity();
    if now < validity.not_before {
        return Err(AnswerFault::Dates(ClockError::NotYetValid {
            now,
            not_before: validity.not_before,
            position: validity.last_to_begin,
        }));
    }
    if now > validity.not_after {
        return Err(AnswerFault::Dates(ClockError::Expired {
            now,
            not_after: validity.not_after,
            position: validity.first_to_end,
        }));
    }
    Ok(())
}

/// A registry's seal is a seal like those of its parties.
fn usage(chain: &Chain<'_>) -> Result<(), AnswerFault> {
    let rule = ISHARE.leaf_key_usage();
    let usages = chain.leaf().and_then(Certificate::key_usages);
    let usages = usages.unwrap_or_default();
    match rule.value().first() {
        Some(&wanted) if !rule.value().iter().any(|&usage| usages.has(usage)) => {
            Err(AnswerFault::Chain(ChainError::LeafKeyUsage {
                wanted,
                rule: rule.source(),
            }))
        }
        _ => Ok(()),
    }
}

fn revocation(chain: &Chain<'_>, crls: &[Crl], now: UnixTime) -> Result<(), AnswerFault> {
    let lists = RevocationLists { crls, now };
    let certificates = chain.certificates();
    for (certificate, issuer) in certificates.iter().zip(certificates.iter().skip(1)) {
        if let Verdict::Broken(why) = lists.status(certificate, issuer) {
            return Err(AnswerFault::Revocation(why.to_string()));
        }
    }
    Ok(())
}
