//! Links between CAs: parties of one CA have them in common, and each is verified once.

use std::collections::HashSet;
use std::sync::Mutex;

use privyseal::pki::links::HostLinks;
use privyseal_core::cert::{Certificate, LinkError, Name, VerifyLink};
use privyseal_hsm::lock;
use sha2::{Digest as _, Sha256};

/// How many are remembered at most. A stranger's CAs count, too: when it is full, it starts over.
const MAX_KEPT: usize = 1000;

/// Verifies as [`HostLinks`] does, and remembers the signatures of a CA on a CA that were good.
#[derive(Debug, Default)]
pub(crate) struct KnownLinks(Mutex<HashSet<[u8; 32]>>);

impl VerifyLink for KnownLinks {
    fn verify(&self, subject: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<(), LinkError> {
        if !subject.is_ca() {
            return HostLinks.verify(subject, issuer);
        }
        // Each ends where it says.
        let link = [subject.as_der(), issuer.as_der()].concat();
        let link = Sha256::digest(link).into();
        if lock(&self.0).contains(&link) {
            return Ok(());
        }
        HostLinks.verify(subject, issuer)?;
        let mut known = lock(&self.0);
        if known.len() >= MAX_KEPT {
            known.clear();
        }
        known.insert(link);
        Ok(())
    }

    fn is_same_name(&self, one: Name<'_>, other: Name<'_>) -> bool {
        HostLinks.is_same_name(one, other)
    }

    fn constraints_hold(&self, chain: &[Certificate<'_>]) -> Option<bool> {
        HostLinks.constraints_hold(chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_links_are_remembered_and_no_more() {
        let read = |der: &'static [u8]| Certificate::from_der(der).unwrap();
        let sub = include_bytes!("../../../host-tests/fixtures/ishare-test-chain/2-sub-ca.der");
        let root = include_bytes!("../../../host-tests/fixtures/ishare-test-chain/3-root-ca.der");
        for (known, kept) in [(MAX_KEPT - 1, MAX_KEPT), (MAX_KEPT, 1)] {
            let others = (0..known).map(|number| Sha256::digest(number.to_be_bytes()).into());
            let links = KnownLinks(Mutex::new(others.collect()));
            links.verify(&read(sub), &read(root)).unwrap();
            assert_eq!(lock(&links.0).len(), kept);
        }
    }
}
