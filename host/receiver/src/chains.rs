//! Headers whose certificates were proved: a party that is known costs one signature.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use privyseal::schemes::ishare::TrustedList;
use privyseal_core::UnixTime;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::VerifyingKey;

/// How many are kept at most; some kilobytes each.
const MAX_KEPT: usize = 10_000;

/// What was found about a header, as it stands in tokens of one client.
#[derive(Debug)]
pub(crate) struct ProvenHeader {
    /// For whom every rule held.
    pub(crate) client_id: String,
    /// The leaf, DER, and its SHA-256.
    pub(crate) leaf: Option<(Vec<u8>, [u8; 32])>,
    pub(crate) key: VerifyingKey,
    pub(crate) algorithm: Algorithm,
    /// Up to then, inclusive.
    pub(crate) until: UnixTime,
    /// By which of the receiver's ways revocation was judged.
    pub(crate) generation: u64,
    /// The trusted list that vouches for its chain.
    pub(crate) list: Option<Arc<TrustedList>>,
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
