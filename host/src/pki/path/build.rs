//! Finding paths (RFC 4158): depth first, by names and key identifiers, with a bound.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;

use privyseal_core::UnixTime;
use privyseal_core::cert::LinkError;

use super::certificate::PathCertificate;
use super::validate::validate;
use super::{NormalName, PathError, PathOptions, PathRule, TrustAnchor, display_name};
use crate::pki::signature::Signed;

/// The most certificates on a path, the anchor's not counted.
const MAX_PATH: usize = 16;

/// The most signatures that one search verifies. Paths of honest heaps need a handful.
const MAX_SIGNATURES: usize = 200;

/// The most steps of one search.
const MAX_STEPS: usize = 2000;

/// Certificates in no order: strangers, copies, cross and re-issued ones among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap<'a> {
    certificates: Vec<PathCertificate<'a>>,
    by_subject: HashMap<NormalName, Vec<usize>>,
    anchors: Vec<TrustAnchor>,
}

/// Positions in a heap, leaf first, and the anchor above the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) positions: Vec<usize>,
    pub(crate) end: End,
}

/// Where a path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The last certificate was issued by the anchor of that number, or is that anchor's own.
    Anchor(usize),
    /// With a self-issued certificate that is no anchor.
    Root,
    /// Its issuer is not there.
    Open,
}

impl Path {
    /// The certificate at position 0, and above it the first anchor.
    pub(crate) fn below_anchor() -> Self {
        Self {
            positions: vec![0],
            end: End::Anchor(0),
        }
    }

    pub(crate) const fn anchor(&self) -> Option<usize> {
        match self.end {
            End::Anchor(number) => Some(number),
            End::Root | End::Open => None,
        }
    }
}

impl<'a> Heap<'a> {
    /// Reads certificates (DER). A copy counts once.
    pub(crate) fn new(ders: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, PathError> {
        let mut heap = Self::default();
        for (position, der) in ders.into_iter().enumerate() {
            if heap.position(der).is_some() {
                continue;
            }
            let certificate = PathCertificate::from_der(der)
                .map_err(|error| PathError::Certificate { position, error })?;
            let place = heap.certificates.len();
            heap.by_subject
                .entry(certificate.subject.clone())
                .or_default()
                .push(place);
            heap.certificates.push(certificate);
        }
        Ok(heap)
    }

    /// The same, which trusts these certificates (DER).
    pub(crate) fn trusting<'t>(
        mut self,
        anchors: impl IntoIterator<Item = &'t [u8]>,
    ) -> Result<Self, PathError> {
        for (position, der) in anchors.into_iter().enumerate() {
            let anchor = TrustAnchor::from_der(der);
            self.anchors
                .push(anchor.map_err(|error| PathError::Certificate { position, error })?);
        }
        Ok(self)
    }

    /// The same, which trusts its own certificate at `position`.
    pub(crate) fn trusting_own(mut self, position: usize) -> Self {
        self.anchors
            .extend(self.certificates.get(position).map(TrustAnchor::of));
        self
    }

    pub(crate) fn certificates(&self) -> &[PathCertificate<'a>] {
        &self.certificates
    }

    pub(crate) fn anchor(&self, number: usize) -> Option<&TrustAnchor> {
        self.anchors.get(number)
    }

    pub(crate) fn position(&self, der: &[u8]) -> Option<usize> {
        self.certificates
            .iter()
            .position(|known| known.as_der() == der)
    }

    /// Those with that subject.
    pub(crate) fn of_subject(&self, subject: &NormalName) -> &[usize] {
        self.by_subject
            .get(subject)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    pub(crate) fn on_path(&self, path: &Path) -> Vec<&PathCertificate<'a>> {
        path.positions
            .iter()
            .filter_map(|&position| self.certificates.get(position))
            .collect()
    }

    /// The path from the certificate at `leaf` to an anchor that holds by RFC 5280 section 6.1, and by `accept`.
    ///
    /// # Errors
    ///
    /// Why the first path that was found does not hold, or which issuer is missing.
    pub(crate) fn prove(
        &self,
        leaf: usize,
        options: &PathOptions,
        accept: &dyn Fn(&Path) -> Result<(), PathError>,
    ) -> Result<Path, PathError> {
        let search = Search::new(self, options.now);
        let mut first_fault = None;
        let mut longest: Vec<usize> = Vec::new();
        let mut ends_at_root = false;
        let found = search.run(leaf, &mut |path| {
            let End::Anchor(number) = path.end else {
                if path.positions.len() > longest.len() {
                    longest.clone_from(&path.positions);
                    ends_at_root = path.end == End::Root;
                }
                return ControlFlow::Continue(());
            };
            let judged = search.judge(path, self.anchor(number), options);
            match judged.and_then(|()| accept(path)) {
                Ok(()) => ControlFlow::Break(path.clone()),
                Err(fault) => {
                    first_fault.get_or_insert(fault);
                    ControlFlow::Continue(())
                }
            }
        })?;
        if let (None, None, Some((position, error))) = (&found, &first_fault, search.fault.get()) {
            return Err(PathRule::Signature(error).at(position));
        }
        let last = longest.last().and_then(|&last| self.certificates.get(last));
        match (found, first_fault, last) {
            (Some(path), ..) => Ok(path),
            (None, Some(fault), _) => Err(fault),
            (None, None, Some(last)) if ends_at_root => Err(PathError::Untrusted {
                root: display_name(last.subject()),
            }),
            (None, None, Some(last)) => Err(missing_issuer(last)),
            (None, None, None) => Err(PathError::NoLeaf),
        }
    }

    /// Whether `path` is whole, as far as these certificates tell: it may end below its root, but not below a gap with
    /// another CA above it.
    pub(crate) fn check_complete(&self, path: &Path) -> Result<(), PathError> {
        let mut others = self
            .certificates
            .iter()
            .enumerate()
            .filter(|(at, _)| !path.positions.contains(at));
        match self.on_path(path).last() {
            Some(last) if path.end == End::Open && others.any(|(_, other)| other.is_ca()) => {
                Err(missing_issuer(last))
            }
            _ => Ok(()),
        }
    }

    /// The best path from the certificate at `leaf`, without anchors: if there is one, a path that ends at a root and is
    /// valid at `now`; of several, the longest.
    pub(crate) fn assemble(&self, leaf: usize, options: &PathOptions) -> Result<Path, PathError> {
        let search = Search::new(self, options.now);
        let mut best: Option<((bool, bool, usize), Path)> = None;
        let found = search.run(leaf, &mut |path| {
            let is_complete = path.end != End::Open;
            let holds = search.judge(path, None, options).is_ok();
            let rank = (holds, is_complete, path.positions.len());
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                best = Some((rank, path.clone()));
            }
            if is_complete && holds {
                ControlFlow::Break(path.clone())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        found
            .or(best.map(|(_, path)| path))
            .ok_or(PathError::NoLeaf)
    }
}

fn missing_issuer(of: &PathCertificate<'_>) -> PathError {
    PathError::MissingIssuer {
        subject: display_name(of.subject()),
        issuer: display_name(of.issuer()),
    }
}

/// A certificate's place, and a key (SubjectPublicKeyInfo, DER).
type Link<'h> = (usize, &'h [u8]);

struct Search<'h, 'a> {
    heap: &'h Heap<'a>,
    now: UnixTime,
    /// Whether the key of the one signed the other: by position and key.
    signatures: RefCell<HashMap<Link<'h>, Result<(), LinkError>>>,
    steps: Cell<usize>,
    /// A signature that cannot be judged, and where on its path it is.
    fault: Cell<Option<(usize, LinkError)>>,
}

impl<'h, 'a> Search<'h, 'a> {
    fn new(heap: &'h Heap<'a>, now: UnixTime) -> Self {
        Self {
            heap,
            now,
            signatures: RefCell::default(),
            steps: Cell::new(0),
            fault: Cell::new(None),
        }
    }

    /// Calls `visit` with every path up from `leaf` until it has what it wants, the likeliest first.
    fn run(
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

    fn judge(
        &self,
        path: &Path,
        anchor: Option<&'h TrustAnchor>,
        options: &PathOptions,
    ) -> Result<(), PathError> {
        let certificates = self.heap.on_path(path);
        // An anchor's own certificate ends the path.
        let is_anchor =
            |leaf: &PathCertificate<'_>| anchor.is_some_and(|anchor| anchor.der == leaf.as_der());
        let anchor = match certificates.as_slice() {
            [leaf] if is_anchor(leaf) => None,
            _ => anchor,
        };
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
