//! Headers whose certificates were proved: a party that is known costs one signature.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use privyseal::schemes::ishare::TrustedList;
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::VerifyingKey;
use sha2::{Digest as _, Sha256};

use crate::shares::Holder;

/// How many are kept at most; some kilobytes each.
const MAX_KEPT: usize = 10_000;

/// What was found about a header, as it stands in tokens of one client.
#[derive(Debug)]
pub(crate) struct ProvenHeader {
    /// For whom every rule held.
    pub(crate) client_id: String,
    /// The leaf, DER, and whose it is.
    pub(crate) leaf: Option<(Vec<u8>, Holder)>,
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

/// By the SHA-256 of the header, as it is encoded: its `x5c` or `kid` and all else that it says.
#[derive(Debug, Default)]
pub(crate) struct ProvenHeaders(Mutex<HashMap<[u8; 32], Arc<ProvenHeader>>>);

impl ProvenHeaders {
    pub(crate) fn find(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        now: UnixTime,
    ) -> Option<Arc<ProvenHeader>> {
        let headers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = headers.get(digest);
        let is_good = |it: &&Arc<ProvenHeader>| it.client_id == client_id && now <= it.until;
        found.filter(is_good).cloned()
    }

    pub(crate) fn keep(&self, digest: [u8; 32], header: &Arc<ProvenHeader>, now: UnixTime) {
        let mut headers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if headers.len() >= MAX_KEPT {
            headers.retain(|_, kept| now <= kept.until);
        }
        // Where all are in use, what is new is proved each time.
        if headers.len() < MAX_KEPT || headers.contains_key(&digest) {
            headers.insert(digest, Arc::clone(header));
        }
    }

    pub(crate) fn forget(&self, digest: &[u8; 32]) {
        let mut headers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        headers.remove(digest);
    }
}
