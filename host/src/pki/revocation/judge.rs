//! One question about a certificate on a path, answered by lists and responders.

use std::cell::RefCell;

use privyseal_core::UnixTime;

use super::{Revocation, RevocationCheck, RevocationPlaces, Unknown};
use crate::pki::crl::{ALL_REASONS, Content, Crl, Found, Point};
use crate::pki::ocsp::{OcspQuestion, OcspResponse};
use crate::pki::path::{Heap, Path, PathCertificate, PathOptions, PathRule, may_sign_lists};

/// How long a list without nextUpdate is believed, in seconds: seven days, the longest that the CA/Browser Forum's
/// baseline requirements (section 4.9.7) let pass between two lists.
const MAX_AGE_WITHOUT_NEXT_UPDATE: u64 = 7 * 24 * 3600;

/// How many signers of CRLs may in turn be checked with another signer's CRL.
const MAX_DEPTH: usize = 4;

/// One question about a path, with the questions that follow from it.
pub(super) struct Judge<'j, 'a> {
    check: &'j RevocationCheck<'j>,
    heap: &'j Heap<'a>,
    /// The certificates under check, against recursion: a CRL's signer may be covered by that same CRL.
    in_progress: RefCell<Vec<usize>>,
}

impl<'j, 'a> Judge<'j, 'a> {
    pub(super) fn new(check: &'j RevocationCheck<'j>, heap: &'j Heap<'a>) -> Self {
        Self {
            check,
            heap,
            in_progress: RefCell::default(),
        }
    }

    pub(super) fn status(&self, path: &Path, index: usize) -> Revocation {
        let position = path.positions.get(index).copied();
        let certificate = position.and_then(|position| self.heap.certificates().get(position));
        let (Some(position), Some(certificate)) = (position, certificate) else {
            return Revocation::Unknown(Unknown::NotCovered);
        };
        self.in_progress.borrow_mut().push(position);
        let status = match self.by_any_list(self.check.options.crls, path, index, certificate) {
            Revocation::Unknown(why) => self.by_fetched(path, index, certificate, why),
            known => known,
        };
        self.in_progress.borrow_mut().pop();
        status
    }

    /// By what the certificate's issuer publishes, where nothing that was given tells.
    fn by_fetched(
        &self,
        path: &Path,
        index: usize,
        certificate: &PathCertificate<'_>,
        why: Unknown,
    ) -> Revocation {
        let issuer = self
            .on_path(path, index.saturating_add(1))
            .map(|issuer| issuer.spki());
        let anchor = path.anchor().and_then(|number| self.heap.anchor(number));
        let issuer = issuer.or(anchor.map(|anchor| anchor.spki.as_slice()));
        let (fetch, begun) = (self.check.options.fetch, self.check.begun);
        let (Some(fetch), Some(begun), Some(issuer)) = (fetch, begun, issuer) else {
            return Revocation::Unknown(why);
        };
        let places = RevocationPlaces {
            responders: certificate.extensions.ocsp_urls.clone(),
            lists: certificate.extensions.list_urls().collect(),
        };
        let ask = |nonce: &[u8]| OcspQuestion::new(certificate, issuer, nonce);
        let is_revoked = |responder: &PathCertificate<'_>| {
            let lists = self.check.options.crls;
            matches!(
                self.by_any_list(lists, path, index, responder),
                Revocation::Revoked { .. }
            )
        };
        let judge = |response: &OcspResponse| response.status(self.check.now, &is_revoked);
        let response = fetch.response(&places, &ask, &judge, begun);
        match response.unwrap_or(Revocation::Unknown(why)) {
            Revocation::Unknown(why) => {
                let lists = fetch.lists(&places, self.check.now, begun);
                match self.by_any_list(&lists, path, index, certificate) {
                    Revocation::Unknown(of_lists) => {
                        fetch.forget(&places);
                        let is_covered = of_lists != Unknown::NotCovered;
                        Revocation::Unknown(if is_covered { of_lists } else { why })
                    }
                    status => status,
                }
            }
            known => known,
        }
    }

    fn on_path(&self, path: &Path, index: usize) -> Option<&PathCertificate<'a>> {
        self.heap.certificates().get(*path.positions.get(index)?)
    }

    fn by_any_list(
        &self,
        lists: &[Crl],
        path: &Path,
        index: usize,
        certificate: &PathCertificate<'_>,
    ) -> Revocation {
        match self.by_lists(lists, path, index, certificate, true) {
            // A list that is out of date is not believed when it says nothing; when it says "revoked", it is.
            unknown @ Revocation::Unknown(_) => {
                match self.by_lists(lists, path, index, certificate, false) {
                    revoked @ Revocation::Revoked { .. } => revoked,
                    _ => unknown,
                }
            }
            known => known,
        }
    }

    fn by_lists(
        &self,
        lists: &[Crl],
        path: &Path,
        index: usize,
        certificate: &PathCertificate<'_>,
        must_be_fresh: bool,
    ) -> Revocation {
        let mut complete: Vec<_> = lists
            .iter()
            .map(|crl| &*crl.0)
            .filter(|list| list.base.is_none())
            .collect();
        // The newest decides; of two of one second, the one of the higher number (RFC 5280 section 5.2.3); else the one that
        // says more.
        let age = |list: &Content| (list.this_update, list.number.clone());
        complete.sort_by_key(|list| core::cmp::Reverse(age(list)));
        let mut reasons = 0;
        let mut unknown = Unknown::NotCovered;
        let mut oldest = UnixTime::MAX;
        for point in Point::all_of(certificate) {
            let mut decided = None;
            for list in &complete {
                let covered = point.reasons & list.scope.reasons;
                let more = covered & !reasons;
                let is_twin = covered != 0 && decided == Some(age(list));
                if (more == 0 && !is_twin) || !list.scope.covers(&list.issuer, certificate, &point)
                {
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
                if let Found::Revoked(since) =
                    self.with_delta(lists, list, certificate, path, index)
                {
                    return Revocation::Revoked { since };
                }
                reasons |= more;
                decided = Some(age(list));
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
        lists: &[Crl],
        list: &Content,
        certificate: &PathCertificate<'_>,
        path: &Path,
        index: usize,
    ) -> Found {
        let (issuer, serial) = (&certificate.issuer, certificate.serial());
        let deltas = lists.iter().map(|crl| &*crl.0).filter(|delta| {
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
        let (now, this_update) = (self.check.now, list.this_update);
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
                    && may_sign_lists(signer)
                    && list.is_signed_by(signer.spki())
            });
        let is_anchor = anchor.is_some_and(|anchor| {
            anchor.name == list.issuer && anchor.may_sign_lists && list.is_signed_by(&anchor.spki)
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
            if may_sign_lists(signer)
                && list.is_signed_by(signer.spki())
                && self.is_good(position, path)
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
        let options = PathOptions::at(self.check.now);
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
