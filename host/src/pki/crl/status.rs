//! Whether the certificates of a path were revoked (RFC 5280 section 6.3.3).

use std::cell::RefCell;

use privyseal_check::{Reason, Revocations, Verdict, Violation};
use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, KeyUsage};

use super::points::{ALL_REASONS, Point};
use super::read::{Content, Found};
use super::{Crl, MAX_AGE_WITHOUT_NEXT_UPDATE, Revocation, Unknown};
use crate::pki::path::{Heap, Path, PathCertificate, PathError, PathOptions, PathRule};

/// How deep a signer of lists may stand on lists of further signers.
const MAX_DEPTH: usize = 4;

/// Lists, believed or not at one moment.
#[derive(Clone, Copy, Debug)]
pub struct RevocationLists<'a> {
    /// The lists.
    pub(crate) crls: &'a [Crl],
    /// The moment.
    pub(crate) now: UnixTime,
    /// Whether a certificate of which nothing is known passes.
    pub(crate) allow_unknown: bool,
}

impl<'a> RevocationLists<'a> {
    /// What `crls` say at `now`; of what they say nothing is revoked.
    pub const fn new(crls: &'a [Crl], now: UnixTime) -> Self {
        Self {
            crls,
            now,
            allow_unknown: false,
        }
    }

    /// Whether every certificate on `path` is good.
    ///
    /// # Errors
    ///
    /// [`PathRule::Revoked`] and [`PathRule::RevocationUnknown`].
    pub(crate) fn check(&self, heap: &Heap<'_>, path: &Path) -> Result<(), PathError> {
        let judge = Judge::new(self, heap);
        for index in (0..path.positions.len()).rev() {
            match judge.status(path, index) {
                Revocation::Good { .. } => {}
                Revocation::Revoked { since } => return Err(PathRule::Revoked(since).at(index)),
                Revocation::Unknown(_) if self.allow_unknown => {}
                Revocation::Unknown(why) => return Err(PathRule::RevocationUnknown(why).at(index)),
            }
        }
        Ok(())
    }

    /// What is known about `certificate`, which `issuer` issued: that is proved already.
    pub(crate) fn status_of(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
    ) -> Revocation {
        let ders = [certificate.as_der(), issuer.as_der()];
        let heap = Heap::new(ders).and_then(|heap| heap.trusting([issuer.as_der()]));
        let Ok(heap) = heap else {
            return Revocation::Unknown(Unknown::NotCovered);
        };
        Judge::new(self, &heap).status(&Path::below_anchor(), 0)
    }
}

impl Revocations for RevocationLists<'_> {
    fn status(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Verdict {
        match self.status_of(certificate, issuer) {
            Revocation::Good { .. } => Verdict::Passed,
            Revocation::Revoked { since } => Verdict::Broken(Violation::Revoked { since }),
            Revocation::Unknown(why) if self.allow_unknown => {
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
        Unknown::NotYetValid { .. } => "cannot be told: the list is from the future",
        Unknown::Stale { .. } => "cannot be told: the list is out of date",
    }
}

/// One question about a path, with the questions that follow from it.
struct Judge<'j, 'a> {
    lists: &'j RevocationLists<'j>,
    heap: &'j Heap<'a>,
    /// What is being judged. A signer of lists may stand on its own list, which must not revoke it.
    in_progress: RefCell<Vec<usize>>,
}

impl<'j, 'a> Judge<'j, 'a> {
    fn new(lists: &'j RevocationLists<'j>, heap: &'j Heap<'a>) -> Self {
        Self {
            lists,
            heap,
            in_progress: RefCell::default(),
        }
    }

    fn status(&self, path: &Path, index: usize) -> Revocation {
        let position = path.positions.get(index).copied();
        let certificate = position.and_then(|position| self.heap.certificates().get(position));
        let (Some(position), Some(certificate)) = (position, certificate) else {
            return Revocation::Unknown(Unknown::NotCovered);
        };
        self.in_progress.borrow_mut().push(position);
        let status = match self.by_lists(path, index, certificate, true) {
            // A list that is out of date is not believed when it says nothing; when it says "revoked", it is.
            unknown @ Revocation::Unknown(_) => {
                match self.by_lists(path, index, certificate, false) {
                    revoked @ Revocation::Revoked { .. } => revoked,
                    _ => unknown,
                }
            }
            known => known,
        };
        self.in_progress.borrow_mut().pop();
        status
    }

    fn by_lists(
        &self,
        path: &Path,
        index: usize,
        certificate: &PathCertificate<'_>,
        must_be_fresh: bool,
    ) -> Revocation {
        let mut complete: Vec<_> = self
            .lists
            .crls
            .iter()
            .map(|crl| &*crl.0)
            .filter(|list| list.base.is_none())
            .collect();
        // The newest decides.
        complete.sort_by_key(|list| core::cmp::Reverse(list.this_update));
        let mut reasons = 0;
        let mut unknown = Unknown::NotCovered;
        let mut oldest = UnixTime::MAX;
        for point in Point::all_of(certificate) {
            for list in &complete {
                let more = point.reasons & list.scope.reasons & !reasons;
                if more == 0 || !list.scope.covers(&list.issuer, certificate, &point) {
                    continue;
                }
                let believed = if must_be_fresh {
                    self.dates(list)
                } else {
                    Ok(())
                };
                if let Err(why) = believed.and_then(|()| self.signer(list, path, index)) {
                    unknown = why;
                    continue;
                }
                if let Found::Revoked(since) = self.with_delta(list, certificate, path, index) {
                    return Revocation::Revoked { since };
                }
                reasons |= more;
                oldest = oldest.min(list.this_update);
            }
        }
        match reasons {
            ALL_REASONS => Revocation::Good {
                this_update: oldest,
            },
            0 => Revocation::Unknown(unknown),
            _ => Revocation::Unknown(Unknown::SomeReasons),
        }
    }

    /// What the list says, with its newest delta list (RFC 5280 section 5.2.4).
    fn with_delta(
        &self,
        list: &Content,
        certificate: &PathCertificate<'_>,
        path: &Path,
        index: usize,
    ) -> Found {
        let (issuer, serial) = (&certificate.issuer, certificate.serial());
        let deltas = self.lists.crls.iter().map(|crl| &*crl.0).filter(|delta| {
            delta.base.is_some()
                && delta.base <= list.number
                && delta.number > list.number
                && delta.issuer == list.issuer
                && delta.scope == list.scope
                && delta.authority_key_id == list.authority_key_id
                && self.dates(delta).is_ok()
                && self.signer(delta, path, index).is_ok()
        });
        let newest = deltas.max_by(|one, other| one.number.cmp(&other.number));
        match newest.map(|delta| delta.find(issuer, serial)) {
            None | Some(Found::Nothing) => list.find(issuer, serial),
            Some(found) => found,
        }
    }

    fn dates(&self, list: &Content) -> Result<(), Unknown> {
        let (now, this_update) = (self.lists.now, list.this_update);
        let next_update = list
            .next_update
            .unwrap_or(this_update.saturating_add(MAX_AGE_WITHOUT_NEXT_UPDATE));
        if now < this_update {
            return Err(Unknown::NotYetValid { this_update });
        }
        if now > next_update {
            return Err(Unknown::Stale { next_update });
        }
        Ok(())
    }

    /// Whether who signed `list` may do so below the anchor of `path` (RFC 5280 section 6.3.3 (f) and (g)).
    fn signer(&self, list: &Content, path: &Path, index: usize) -> Result<(), Unknown> {
        let anchor = path.anchor().and_then(|number| self.heap.anchor(number));
        // Who issued the certificate, and is proved already.
        let above = path
            .positions
            .get(index.saturating_add(1)..)
            .unwrap_or_default();
        let is_above = above
            .iter()
            .filter_map(|&position| self.heap.certificates().get(position))
            .any(|signer| {
                signer.subject == list.issuer
                    && may_sign(signer)
                    && list.is_signed_by(signer.spki())
            });
        let is_anchor = anchor.is_some_and(|anchor| {
            anchor.name == list.issuer && anchor.may_sign_lists() && list.is_signed_by(&anchor.spki)
        });
        if is_above || is_anchor {
            return Ok(());
        }
        let others = self
            .heap
            .of_subject(&list.issuer)
            .iter()
            .copied()
            .filter(|position| !above.contains(position));
        for position in others {
            let Some(signer) = self.heap.certificates().get(position) else {
                continue;
            };
            if may_sign(signer) && list.is_signed_by(signer.spki()) && self.is_good(position, path)
            {
                return Ok(());
            }
        }
        Err(Unknown::Signature)
    }

    /// Whether the signer at that position has a path to the same anchor, and nobody on it is revoked.
    fn is_good(&self, signer: usize, path: &Path) -> bool {
        if self.in_progress.borrow().len() > MAX_DEPTH {
            return false;
        }
        let options = PathOptions::at(self.lists.now);
        let accept = |found: &Path| {
            let unknown = PathRule::RevocationUnknown(Unknown::Signature).at(0);
            if found.end != path.end {
                return Err(unknown);
            }
            for (index, position) in found.positions.iter().enumerate() {
                let is_judged = self.in_progress.borrow().contains(position);
                if !is_judged && !matches!(self.status(found, index), Revocation::Good { .. }) {
                    return Err(unknown);
                }
            }
            Ok(())
        };
        self.heap.prove(signer, &options, &accept).is_ok()
    }
}

fn may_sign(signer: &Certificate<'_>) -> bool {
    signer
        .key_usages()
        .is_none_or(|usages| usages.has(KeyUsage::CrlSign))
}
