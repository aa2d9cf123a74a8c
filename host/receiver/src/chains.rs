//! Headers whose certificates were proved: a party that is known costs one signature.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use privyseal::schemes::ishare::TrustedList;
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::VerifyingKey;
use sha2::{Digest as _, Sha256};

use crate::shares::Holder;

/// How many are kept at most; some kilobytes each.
pub(crate) const MAX_KEPT: usize = 10_000;

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
