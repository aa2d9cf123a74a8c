//! The search itself: depth first, by names and key identifiers, with a bound.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;

use privyseal_core::UnixTime;
use privyseal_core::cert::LinkError;

use super::certificate::PathCertificate;
use super::heap::{End, Heap, Path};
use super::validate::validate;
use super::{PathError, PathOptions, TrustAnchor};
use crate::pki::signature::Signed;

/// The most certificates on a path, the anchor's not counted.
const MAX_PATH: usize = 16;

/// The most signatures that one search verifies. Paths of honest heaps need a handful.
const MAX_SIGNATURES: usize = 200;

/// The most steps of one search.
const MAX_STEPS: usize = 2000;

/// A certificate's place, and a key (SubjectPublicKeyInfo, DER).
type Link<'h> = (usize, &'h [u8]);

pub(super) struct Search<'h, 'a> {
    heap: &'h Heap<'a>,
    now: UnixTime,
    /// Whether the key of the one signed the other: by position and key.
    signatures: RefCell<HashMap<Link<'h>, Result<(), LinkError>>>,
    steps: Cell<usize>,
    /// A signature that cannot be judged, and where on its path it is.
    pub(super) fault: Cell<Option<(usize, LinkError)>>,
}

impl<'h, 'a> Search<'h, 'a> {
    pub(super) fn new(heap: &'h Heap<'a>, now: UnixTime) -> Self {
        Self {
            heap,
            now,
            signatures: RefCell::default(),
            steps: Cell::new(0),
            fault: Cell::new(None),
        }
    }

    /// Calls `visit` with every path up from `leaf` until it has what it wants, the likeliest first.
    pub(super) fn run(
        &self,
        leaf: usize,
        visit: &mut dyn FnMut(&Path) -> ControlFlow<Path>,
    ) -> Result<Option<Path>, PathError> {
        match self.extend(&mut vec![leaf], visit) {
            ControlFlow::Break(found) => Ok(Some(found)),
            ControlFlow::Continue(()) if self.is_over() => Err(PathError::TooMany),
            ControlFlow::Continue(()) => Ok(None),
        }
    }

    pub(super) fn judge(
        &self,
        path: &Path,
        anchor: Option<&'h TrustAnchor>,
        options: &PathOptions,
    ) -> Result<(), PathError> {
        let certificates = self.heap.on_path(path);
        // An anchor's own certificate ends the path.
        let anchor = anchor.filter(|_| self.heap.pinned(path).is_none());
        validate(&certificates, anchor, options, |position, spki| {
            let place = path.positions.get(position).copied().unwrap_or(usize::MAX);
            self.signature(place, spki)
        })
    }

    fn is_over(&self) -> bool {
        self.steps.get() > MAX_STEPS || self.signatures.borrow().len() > MAX_SIGNATURES
    }

    fn extend(
        &self,
        positions: &mut Vec<usize>,
        visit: &mut dyn FnMut(&Path) -> ControlFlow<Path>,
    ) -> ControlFlow<Path> {
        self.steps.set(self.steps.get().saturating_add(1));
        let last = positions.last().copied().unwrap_or_default();
        let Some(certificate) = self.heap.certificates.get(last) else {
            return ControlFlow::Continue(());
        };
        if self.is_over() || positions.len() > MAX_PATH {
            return ControlFlow::Continue(());
        }
        let mut end = |end: End, positions: &[usize]| {
            visit(&Path {
                positions: positions.to_vec(),
                end,
            })
        };
        let mut is_end = true;
        for (number, anchor) in self.heap.anchors.iter().enumerate() {
            let is_itself = positions.len() == 1 && anchor.der == certificate.as_der();
            if is_itself
                || (anchor.name == certificate.issuer
                    && self.is_signed(last, &anchor.spki, positions))
            {
                is_end = false;
                end(End::Anchor(number), positions)?;
            }
        }
        for issuer in self.issuers(last, positions) {
            is_end = false;
            positions.push(issuer);
            self.extend(positions, visit)?;
            positions.pop();
        }
        if is_end {
            let end = if certificate.is_self_issued() {
                End::Root
            } else {
                End::Open
            };
            return visit(&Path {
                positions: positions.clone(),
                end,
            });
        }
        ControlFlow::Continue(())
    }

    /// The possible issuers whose signature verifies: first those with the right key identifier, then those that are
    /// valid now, then by the end of their validity. A name with the same key stands on a path once.
    fn issuers(&self, of: usize, positions: &[usize]) -> Vec<usize> {
        let all = &self.heap.certificates;
        let Some(certificate) = all.get(of) else {
            return Vec::new();
        };
        let on_path = |issuer: &PathCertificate<'_>| {
            let mut path = positions.iter().filter_map(|&position| all.get(position));
            path.any(|other| other.subject == issuer.subject && other.spki() == issuer.spki())
        };
        let candidates = self.heap.of_subject(&certificate.issuer).iter().copied();
        let candidates = candidates.filter_map(|position| Some((position, all.get(position)?)));
        let mut candidates: Vec<_> = candidates.filter(|(_, issuer)| !on_path(issuer)).collect();
        candidates.sort_by_key(|(_, issuer)| {
            (
                !certificate.names_key_of(issuer),
                !issuer.is_valid_at(self.now),
                core::cmp::Reverse(issuer.not_after()),
            )
        });
        let signed = candidates
            .into_iter()
            .filter(|(_, issuer)| self.is_signed(of, issuer.spki(), positions));
        signed.map(|(position, _)| position).collect()
    }

    fn is_signed(&self, place: usize, spki: &'h [u8], positions: &[usize]) -> bool {
        match self.signature(place, spki) {
            Ok(()) => true,
            Err(LinkError::BadSignature) => false,
            Err(error) => {
                self.fault
                    .set(Some((positions.len().saturating_sub(1), error)));
                false
            }
        }
    }

    fn signature(&self, place: usize, spki: &'h [u8]) -> Result<(), LinkError> {
        let key = (place, spki);
        if let Some(known) = self.signatures.borrow().get(&key) {
            return *known;
        }
        if self.is_over() {
            return Err(LinkError::BadSignature);
        }
        let certificate = self.heap.certificates.get(place);
        let signed = certificate.and_then(|certificate| Signed::read(certificate.as_der()));
        let verified = signed
            .ok_or(LinkError::BadSignature)
            .and_then(|signed| signed.verify(spki));
        self.signatures.borrow_mut().insert(key, verified);
        verified
    }
}
