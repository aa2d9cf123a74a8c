//! Certificates in any order, and the paths through them.

use std::collections::HashMap;

use privyseal_core::cert::Certificate;

use super::certificate::PathCertificate;
use super::{NormalName, PathError, TrustAnchor};
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
}
