//! Finding paths (RFC 4158).

use std::ops::ControlFlow;

use super::certificate::PathCertificate;
use super::heap::{End, Heap, Path};
use super::search::Search;
use super::{PathError, PathOptions, PathRule, display_name};

impl Heap<'_> {
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
