//! Puts certificates given in any order into the one order they have.

use heapless::Vec;

use super::certificate::Certificate;
use super::chain_error::ChainError;
use crate::limits::MAX_CERTIFICATES;

type Certificates<'a> = Vec<Certificate<'a>, MAX_CERTIFICATES>;

/// Leaf first, each followed by its issuer. Every certificate given must have its place.
pub(super) fn order<'a>(given: &[Certificate<'a>]) -> Result<Certificates<'a>, ChainError> {
    let mut ordered = Certificates::new();
    let mut next = Some(leaf(given)?);
    while let Some(certificate) = next {
        let issuer = given.iter().find(|issuer| {
            issued(issuer, &certificate) && **issuer != certificate && !ordered.contains(issuer)
        });
        // There are no more ordered certificates than given ones.
        let _ = ordered.push(certificate);
        next = issuer.copied();
    }
    match given
        .iter()
        .position(|certificate| !ordered.contains(certificate))
    {
        Some(position) => Err(ChainError::Unrelated { position }),
        None => Ok(ordered),
    }
}

/// The one certificate that issued no other.
fn leaf<'a>(given: &[Certificate<'a>]) -> Result<Certificate<'a>, ChainError> {
    let is_leaf = |candidate: &Certificate<'_>| {
        !given
            .iter()
            .any(|other| other != candidate && issued(candidate, other))
    };
    let mut leaves = given
        .iter()
        .enumerate()
        .filter(|(_, certificate)| is_leaf(certificate));
    match (leaves.next(), leaves.next()) {
        (Some((_, leaf)), None) => Ok(*leaf),
        (_, Some((position, _))) => Err(ChainError::Unrelated { position }),
        // Each issued another: a circle.
        (None, None) => Err(ChainError::Unrelated { position: 0 }),
    }
}

/// Whether the names say that `issuer` issued `subject`.
fn issued(issuer: &Certificate<'_>, subject: &Certificate<'_>) -> bool {
    issuer.subject() == subject.issuer()
}
