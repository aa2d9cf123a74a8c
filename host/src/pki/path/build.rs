//! Finding paths (RFC 4158).

use std::collections::HashMap;
use std::ops::ControlFlow;

use privyseal_core::cert::Certificate;

use super::certificate::PathCertificate;
use super::search::Search;
use super::{NormalName, PathError, PathOptions, PathRule, TrustAnchor, display_name};
use crate::pki::signature::Signed;

/// Certificates in no order: strangers, copies, cross and re-issued ones among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap<'a> {
    pub(super) certificates: Vec<PathCertificate<'a>>,
    by_subject: HashMap<NormalName, Vec<usize>>,
    pub(super) anchors: Vec<TrustAnchor>,
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

    /// The certificate of a path that is an anchor's own: a leaf that is trusted itself.
    pub(crate) fn pinned(&self, path: &Path) -> Option<&PathCertificate<'a>> {
        let [leaf] = *path.positions.as_slice() else {
            return None;
        };
        let leaf = self.certificates.get(leaf)?;
        let anchor = self.anchor(path.anchor()?)?;
        (anchor.der == leaf.as_der()).then_some(leaf)
    }

    /// Those that signed `certificate`, of the heap and of what is trusted.
    pub(crate) fn signers_of(&self, certificate: &PathCertificate<'_>) -> Vec<Certificate<'_>> {
        let own = self.of_subject(&certificate.issuer).iter();
        let own = own.filter_map(|&position| Some(**self.certificates.get(position)?));
        let trusted = self
            .anchors
            .iter()
            .filter(|anchor| anchor.name == certificate.issuer);
        let trusted = trusted.filter_map(|anchor| Certificate::from_der(&anchor.der).ok());
        let signed = Signed::read(certificate.as_der());
        own.chain(trusted)
            .filter(|issuer| signed.is_some_and(|it| it.verify(issuer.spki()).is_ok()))
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
