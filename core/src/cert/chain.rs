//! A chain: leaf first, each certificate certified by the next (RFC 7515 section 4.1.6).

use core::marker::PhantomData;
use core::ops::Deref;

use heapless::Vec;

use super::certificate::Certificate;
use super::chain_error::ChainError;
use super::clock::ClockError;
use super::extensions::KeyUsage;
use super::link::{RsaLinks, VerifyLink};
use super::order::order;
use crate::limits::{MAX_CERTIFICATES, MAX_CHAIN_DER};
use crate::time::UnixTime;

/// 1 to [`MAX_CERTIFICATES`] certificates in order, by their names. Nothing is proved yet.
#[derive(Clone, Debug)]
pub struct Chain<'a>(Vec<Certificate<'a>, MAX_CERTIFICATES>);

/// A chain whose every link `P` proved in [`Chain::prove`]. Dates are not part of the proof: they are
/// checked each time an assertion is made.
#[derive(Clone, Debug)]
pub struct ProvenChain<'a, P: ?Sized = RsaLinks>(Chain<'a>, PhantomData<P>);

/// When every certificate of a chain is valid, and which certificates set the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validity {
    /// The first second at which all are valid.
    pub not_before: UnixTime,
    /// The position of the certificate that becomes valid last; 0 is the leaf.
    pub last_to_begin: usize,
    /// The last second at which all are valid.
    pub not_after: UnixTime,
    /// The position of the certificate that expires first; 0 is the leaf.
    pub first_to_end: usize,
}

impl<'a> Chain<'a> {
    /// Reads DER certificates, given in any order, and puts them in order.
    ///
    /// # Errors
    /// [`ChainError`]: none, too many, one that is malformed, there twice, or unrelated.
    pub fn order(certificates: &[&'a [u8]]) -> Result<Self, ChainError> {
        order(&Self::in_order(certificates)?.0).map(Self)
    }

    /// Reads DER certificates that are in order, leaf first. Whether each names the next is not judged: a verifier
    /// may know that names are the same whose bytes are not ([`VerifyLink::is_same_name`]).
    ///
    /// # Errors
    /// [`ChainError`]: none, too many, one that is malformed or there twice.
    pub fn in_order(certificates: &[&'a [u8]]) -> Result<Self, ChainError> {
        let count = certificates.len();
        if count == 0 {
            return Err(ChainError::Empty);
        }
        if count > MAX_CERTIFICATES {
            return Err(ChainError::TooMany { count });
        }
        let len = certificates
            .iter()
            .fold(0_usize, |sum, der| sum.saturating_add(der.len()));
        if len > MAX_CHAIN_DER {
            return Err(ChainError::TooLong { len });
        }
        let mut given = Vec::<_, MAX_CERTIFICATES>::new();
        for (position, der) in certificates.iter().enumerate() {
            let certificate = Certificate::from_der(der)
                .map_err(|error| ChainError::Certificate { position, error })?;
            if given.contains(&certificate) {
                return Err(ChainError::Duplicate { position });
            }
            given
                .push(certificate)
                .map_err(|_| ChainError::TooMany { count })?;
        }
        Ok(Self(given))
    }

    /// The certificates, leaf first.
    pub fn certificates(&self) -> &[Certificate<'a>] {
        &self.0
    }

    /// The leaf.
    pub fn leaf(&self) -> Option<&Certificate<'a>> {
        self.0.first()
    }

    /// Whether the last certificate is issued by itself: a root.
    pub fn has_root(&self) -> bool {
        self.0.last().is_some_and(Certificate::is_self_issued)
    }

    /// Whether each certificate names the next as its issuer.
    pub fn is_named_in_order(&self, links: &(impl VerifyLink + ?Sized)) -> bool {
        let mut pairs = self.0.iter().zip(self.0.iter().skip(1));
        pairs.all(|(one, issuer)| links.is_same_name(one.issuer(), issuer.subject()))
    }

    /// When all certificates are valid.
    pub fn validity(&self) -> Validity {
        Validity::of(&self.0)
    }

    /// Whether trust begins here: a certificate of the chain is among `anchors` (DER), or one of them is a CA
    /// that issued the last. Proves nothing else: [`Chain::prove`] does.
    pub fn is_anchored_by(&self, anchors: &[&[u8]], links: &(impl VerifyLink + ?Sized)) -> bool {
        let in_chain = self
            .0
            .iter()
            .any(|certificate| anchors.contains(&certificate.as_der()));
        let issued_last = |der: &&[u8]| {
            let (Ok(anchor), Some(last)) = (Certificate::from_der(der), self.0.last()) else {
                return false;
            };
            anchor.is_ca()
                && last.issuer() == anchor.subject()
                && links.verify(last, &anchor).is_ok()
        };
        in_chain || anchors.iter().any(issued_last)
    }

    /// Proves the chain as RFC 5280 section 6.1 does, without dates and revocation: signatures (by
    /// `links`), CA flags, keyCertSign, path lengths, critical extensions, and that the leaf is none of
    /// the CAs. A self-issued last certificate must have signed itself.
    ///
    /// # Errors
    /// [`ChainError`], with the position of the certificate.
    pub fn prove<P: VerifyLink + ?Sized>(
        self,
        links: &P,
    ) -> Result<ProvenChain<'a, P>, ChainError> {
        if self.leaf().is_some_and(Certificate::is_ca) {
            return Err(ChainError::LeafIsCa);
        }
        for position in 0..self.0.len() {
            self.prove_at(position, links)?;
        }
        Ok(ProvenChain(self, PhantomData))
    }

    /// Proves what [`Chain::prove`] does for the certificate at `position` alone; for a report of every
    /// fault.
    ///
    /// # Errors
    /// [`ChainError`], with the position.
    pub fn prove_at(
        &self,
        position: usize,
        links: &(impl VerifyLink + ?Sized),
    ) -> Result<(), ChainError> {
        let Some(certificate) = self.0.get(position) else {
            return Ok(());
        };
        if certificate.has_unknown_critical_extension() {
            return Err(ChainError::CriticalExtension { position });
        }
        if certificate.has_unprocessed_constraints() {
            match links.constraints_hold(&self.0) {
                Some(true) => {}
                Some(false) => return Err(ChainError::Constraints { position }),
                None => return Err(ChainError::UnprocessedConstraints { position }),
            }
        }
        if position > 0 {
            self.prove_issuer(position, certificate)?;
        }
        let issuer = match self.0.get(position.saturating_add(1)) {
            Some(issuer) if links.is_same_name(certificate.issuer(), issuer.subject()) => issuer,
            Some(_) => return Err(ChainError::Unrelated { position }),
            None if certificate.is_self_issued() => certificate,
            None => return Ok(()),
        };
        links
            .verify(certificate, issuer)
            .map_err(|error| ChainError::Link { position, error })
    }

    fn prove_issuer(&self, position: usize, issuer: &Certificate<'_>) -> Result<(), ChainError> {
        let Some(constraints) = issuer
            .basic_constraints()
            .filter(|constraints| constraints.ca)
        else {
            return Err(ChainError::NotCa { position });
        };
        if issuer
            .key_usages()
            .is_some_and(|usages| !usages.has(KeyUsage::KeyCertSign))
        {
            return Err(ChainError::CaKeyUsage { position });
        }
        if let Some(allowed) = constraints.path_len {
            // Self-issued CAs do not count (RFC 5280 section 4.2.1.9); neither does the leaf.
            let below = self.0.iter().take(position).skip(1);
            let count = below
                .filter(|certificate| !certificate.is_self_issued())
                .count();
            if count > usize::from(allowed) {
                return Err(ChainError::PathLength { position, allowed });
            }
        }
        Ok(())
    }
}

impl Validity {
    /// When all of these certificates are valid.
    pub fn of(certificates: &[Certificate<'_>]) -> Self {
        let mut validity = Self {
            not_before: UnixTime::MAX.saturating_sub(u64::MAX),
            last_to_begin: 0,
            not_after: UnixTime::MAX,
            first_to_end: 0,
        };
        for (position, certificate) in certificates.iter().enumerate() {
            if certificate.not_before() > validity.not_before {
                validity.not_before = certificate.not_before();
                validity.last_to_begin = position;
            }
            if certificate.not_after() < validity.not_after {
                validity.not_after = certificate.not_after();
                validity.first_to_end = position;
            }
        }
        validity
    }

    /// Whether all certificates are valid at this time.
    ///
    /// # Errors
    /// [`ClockError::NotYetValid`] or [`ClockError::Expired`].
    pub const fn check(&self, now: UnixTime) -> Result<(), ClockError> {
        if now.as_secs() < self.not_before.as_secs() {
            return Err(ClockError::NotYetValid {
                now,
                not_before: self.not_before,
                position: self.last_to_begin,
            });
        }
        if now.as_secs() > self.not_after.as_secs() {
            return Err(ClockError::Expired {
                now,
                not_after: self.not_after,
                position: self.first_to_end,
            });
        }
        Ok(())
    }
}

impl<'a, P: ?Sized> Deref for ProvenChain<'a, P> {
    type Target = Chain<'a>;

    fn deref(&self) -> &Chain<'a> {
        &self.0
    }
}
