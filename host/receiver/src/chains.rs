//! Headers whose certificates were proved: a party that is known costs one signature.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use privyseal::schemes::ishare::TrustedList;
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::VerifyingKey;
use privyseal_hsm::lock;
use sha2::{Digest as _, Sha256};

use crate::shares::{Expiring, Holder};

/// How many are kept at most; some kilobytes each.
const MAX_KEPT: usize = 10_000;

/// What was found about a header, as it stands in tokens of one client.
#[derive(Debug)]
pub(crate) struct ProvenHeader {
    /// The party for which every rule held.
    pub(crate) client_id: String,
    /// The leaf, DER.
    pub(crate) leaf: Option<Vec<u8>>,
    /// Whose certificate or key it is.
    pub(crate) holder: Holder,
    pub(crate) key: VerifyingKey,
    pub(crate) algorithm: Algorithm,
    /// Up to then, inclusive.
    pub(crate) until: UnixTime,
    /// From then on one caller proves it again, while the others use it.
    pub(crate) refresh_from: UnixTime,
    pub(crate) is_refreshed: AtomicBool,
    /// By which of the receiver's ways revocation was judged.
    pub(crate) generation: u64,
    /// The trusted list that vouches for its chain.
    pub(crate) list: Option<Arc<TrustedList>>,
}

impl ProvenHeader {
    /// Whether the caller is the one who proves it again.
    pub(crate) fn begins_refresh(&self, now: UnixTime) -> bool {
        now >= self.refresh_from && !self.is_refreshed.swap(true, Ordering::Relaxed)
    }
}

/// Whose certificate it is, however many the same organization has.
pub(crate) fn organization(leaf: &Certificate<'_>) -> Holder {
    let subject = leaf.subject();
    let named = subject.organization_identifier().map(str::as_bytes);
    Sha256::digest(named.unwrap_or(subject.as_der())).into()
}

/// By the SHA-256 of the header, as it is encoded: its `x5c` or `kid` and all else that it says. One holder can write its
/// header in any number of ways.
#[derive(Debug)]
pub(crate) struct ProvenHeaders(Mutex<Expiring<Arc<ProvenHeader>>>);

impl Default for ProvenHeaders {
    fn default() -> Self {
        Self::new(MAX_KEPT)
    }
}

impl ProvenHeaders {
    fn new(room: usize) -> Self {
        Self(Mutex::new(Expiring::new(room)))
    }

    pub(crate) fn find(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        now: UnixTime,
    ) -> Option<Arc<ProvenHeader>> {
        let kept = lock(&self.0);
        let is_good = |it: &&Arc<ProvenHeader>| it.client_id == client_id && now <= it.until;
        kept.get(digest).filter(is_good).cloned()
    }

    /// Where all places are in use, what is new is proved each time.
    pub(crate) fn keep(&self, digest: [u8; 32], header: &Arc<ProvenHeader>, now: UnixTime) {
        let mut kept = lock(&self.0);
        kept.forget(now);
        kept.remove(&digest);
        let end = header.until.saturating_add(1);
        kept.keep(digest, Arc::clone(header), header.holder, end);
    }

    pub(crate) fn forget(&self, digest: &[u8; 32]) {
        lock(&self.0).remove(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use privyseal_core::rsa::RsaPublicKey;

    fn header(holder: u8, until: UnixTime) -> Arc<ProvenHeader> {
        let key = RsaPublicKey::from_components(&[0xff; 256], &[1, 0, 1]).unwrap();
        Arc::new(ProvenHeader {
            client_id: "c".to_owned(),
            leaf: None,
            holder: [holder; 32],
            key: VerifyingKey::new(key).unwrap(),
            algorithm: Algorithm::Rs256,
            until,
            refresh_from: until,
            is_refreshed: AtomicBool::default(),
            generation: 0,
            list: None,
        })
    }

    #[test]
    fn who_writes_its_header_in_many_ways_takes_no_room_of_others() {
        let at = |seconds| UnixTime::from_secs(seconds).unwrap();
        let headers = ProvenHeaders::new(30);
        let is_kept = |digest| headers.find(&[digest; 32], "c", at(0)).is_some();
        for digest in 0..30 {
            headers.keep([digest; 32], &header(1, at(10)), at(0));
        }
        assert_eq!((0..30).filter(|digest| is_kept(*digest)).count(), 10);
        headers.keep([30; 32], &header(2, at(10)), at(0));
        assert!(is_kept(30));
        // There is room again once they have ended, or are forgotten.
        headers.keep([31; 32], &header(1, at(20)), at(11));
        assert!(is_kept(31) && !is_kept(0));
        headers.forget(&[31; 32]);
        assert!(!is_kept(31));
    }
}
