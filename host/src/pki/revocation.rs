//! Whether the certificates of a path were revoked (RFC 5280 section 6.3.3).

mod judge;

use core::fmt;
use std::time::Instant;

use privyseal_check::{Reason, Revocations, Verdict, Violation};
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;

use super::crl::Crl;
use super::ocsp::{OcspQuestion, OcspResponse};
use super::path::{Heap, Path, PathCertificate, PathError, PathRule};
use judge::Judge;

pub use super::status::{Revocation, Unknown};

/// By what revocation is judged. By default not at all.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RevocationOptions<'a> {
    /// Lists.
    pub crls: &'a [Crl],
    /// Fetches OCSP responses and CRLs where `crls` do not tell.
    pub fetch: Option<&'a dyn FetchRevocation>,
    /// Whether a certificate of which nothing is known passes.
    pub allow_unknown: bool,
}

/// Gets what a certificate's issuer publishes about it. This floor asks no server: one above it does. What is got is
/// proved here. `begun` is when the judgement began: a caller that asks servers bounds all of it together.
pub trait FetchRevocation: fmt::Debug + Send + Sync {
    /// What an OCSP responder says: `ask` makes a question of a nonce, and `judge` proves what came to it. What was proved
    /// may be kept as long as it is of use.
    fn response(
        &self,
        certificate: &RevocationPlaces,
        ask: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
        judge: &dyn Fn(&OcspResponse) -> Revocation,
        begun: Instant,
    ) -> Option<Revocation>;

    /// The lists at the certificate's distribution points. They may be kept as long as they are of use.
    fn lists(&self, certificate: &RevocationPlaces, now: UnixTime, begun: Instant) -> Vec<Crl>;

    /// Neither told anything. The lists are not to be kept: nobody who may have signed them did, most likely.
    fn forget(&self, certificate: &RevocationPlaces);
}

/// Where a certificate says that its revocation is published: whole URLs, as it writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationPlaces {
    /// OCSP responders (RFC 5280 section 4.2.2.1).
    pub responders: Vec<String>,
    /// Lists (RFC 5280 section 4.2.1.13).
    pub lists: Vec<String>,
}

/// Revocation, judged at one moment.
#[derive(Clone, Copy, Debug)]
pub struct RevocationCheck<'a> {
    pub(crate) options: RevocationOptions<'a>,
    now: UnixTime,
    /// Where somebody is asked; a page in a browser, which asks nobody, has no such clock.
    begun: Option<Instant>,
}

impl<'a> RevocationOptions<'a> {
    /// By these lists.
    pub fn files(crls: &'a [Crl]) -> Self {
        Self {
            crls,
            ..Self::default()
        }
    }

    /// Whether there is anything by which it is judged.
    pub const fn is_asked(&self) -> bool {
        !self.crls.is_empty() || self.fetch.is_some()
    }

    /// Judged at `now`; `None` where it is not asked for.
    pub fn at(self, now: UnixTime) -> Option<RevocationCheck<'a>> {
        let is_asked = self.is_asked();
        is_asked.then(|| RevocationCheck {
            options: self,
            now,
            begun: self.fetch.map(|_| Instant::now()),
        })
    }
}

impl RevocationCheck<'_> {
    /// The same without fetching: the chain is not trusted yet, so nothing is asked where it points.
    pub(crate) const fn without_fetching(mut self) -> Self {
        self.options.fetch = None;
        self
    }

    /// Whether every certificate on `path` is good.
    ///
    /// # Errors
    ///
    /// [`PathRule::Revoked`] and [`PathRule::RevocationUnknown`].
    pub(crate) fn check(&self, heap: &Heap<'_>, path: &Path) -> Result<(), PathError> {
        if let Some(pinned) = heap.pinned(path) {
            return self.accept(self.status_of_pinned(heap, pinned), 0);
        }
        let judge = Judge::new(self, heap);
        for index in (0..path.positions.len()).rev() {
            self.accept(judge.status(path, index), index)?;
        }
        Ok(())
    }

    const fn accept(&self, status: Revocation, position: usize) -> Result<(), PathError> {
        match status {
            Revocation::Good { .. } => Ok(()),
            Revocation::Revoked { since } => Err(PathRule::Revoked(since).at(position)),
            Revocation::Unknown(_) if self.options.allow_unknown => Ok(()),
            Revocation::Unknown(why) => Err(PathRule::RevocationUnknown(why).at(position)),
        }
    }

    /// What is known about a leaf that is trusted itself: by its issuer, which is the one that signed it, and never by its
    /// own key. Nobody revokes one that is self-issued.
    fn status_of_pinned(&self, heap: &Heap<'_>, leaf: &PathCertificate<'_>) -> Revocation {
        if leaf.is_self_issued() {
            return Revocation::Good {
                this_update: self.now,
            };
        }
        let mut known = Revocation::Unknown(Unknown::NotCovered);
        for issuer in heap.signers_of(leaf) {
            match (self.status_of(leaf, &issuer), known) {
                (revoked @ Revocation::Revoked { .. }, _) => return revoked,
                (_, Revocation::Good { .. }) => {}
                (status, _) => known = status,
            }
        }
        known
    }

    /// What is known about `certificate`, which `issuer` issued: that is proved already.
    pub(crate) fn status_of(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
    ) -> Revocation {
        let ders = [certificate.as_der(), issuer.as_der()];
        let Ok(heap) = Heap::new(ders).map(|heap| heap.trusting_own(1)) else {
            return Revocation::Unknown(Unknown::NotCovered);
        };
        Judge::new(self, &heap).status(&Path::below_anchor(), 0)
    }
}

impl Revocations for RevocationCheck<'_> {
    fn status(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Verdict {
        match self.status_of(certificate, issuer) {
            Revocation::Good { .. } => Verdict::Passed,
            Revocation::Revoked { since } => Verdict::Broken(Violation::Revoked { since }),
            Revocation::Unknown(why) if self.options.allow_unknown => {
                Verdict::NotChecked(Reason::Because(fault(why)))
            }
            Revocation::Unknown(why) => Verdict::Broken(Violation::Text(fault(why))),
        }
    }
}

/// In words that are the same for every list.
const fn fault(why: Unknown) -> &'static str {
    match why {
        Unknown::NotCovered => "cannot be told: no list that was given covers every certificate",
        Unknown::SomeReasons => "cannot be told: the lists that were given cover some reasons only",
        Unknown::Signature => "cannot be told: the list was not signed by a key that may sign it",
        Unknown::Responder => "cannot be told: no OCSP response came that can be read",
        Unknown::Replayed => "cannot be told: the OCSP response is to another request",
        Unknown::NotYetValid { .. } => "cannot be told: the list is from the future",
        Unknown::Stale { .. } => "cannot be told: the list is out of date",
    }
}
