//! By what revocation is judged, owned by a receiver that lives long.

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use privyseal::UnixTime;
use privyseal::http::RevocationFetcher;
use privyseal::pki::crl::Crl;
use privyseal::pki::ocsp::{OcspQuestion, OcspResponse};
use privyseal::pki::revocation::{FetchRevocation, RevocationOptions, RevocationPlaces};

use privyseal_check::RuleId;

use crate::Rejection;
use crate::shares::{Holder, Place, Room};

/// Lists, and who gets more. By default revocation is not judged.
#[derive(Debug, Default)]
pub struct Revocation {
    lists: Vec<Crl>,
    fetcher: Option<RevocationFetcher>,
    allow_unknown: bool,
}

impl Revocation {
    /// By these lists.
    pub fn by_lists(lists: Vec<Crl>) -> Self {
        Self {
            lists,
            ..Self::default()
        }
    }

    /// Also by what each certificate's CA publishes.
    #[must_use]
    pub fn online(mut self, fetcher: RevocationFetcher) -> Self {
        self.fetcher = Some(fetcher);
        self
    }

    /// Accepts certificates of which it cannot be told whether they were revoked.
    #[must_use]
    pub const fn allow_unknown(mut self, allow: bool) -> Self {
        self.allow_unknown = allow;
        self
    }

    /// The same, as the checks take it.
    pub fn options(&self) -> RevocationOptions<'_> {
        let mut options = RevocationOptions::files(&self.lists);
        options.fetch = self.fetcher.as_ref().map(|fetcher| fetcher as _);
        options.allow_unknown = self.allow_unknown;
        options
    }
}

/// For how long nobody is asked again about a certificate of which nothing was told.
const PAUSE: Duration = Duration::from_secs(5);

/// How many such certificates are remembered; when it is full, it begins anew.
const MAX_UNTOLD: usize = 10_000;

/// Nothing is found against a client whose CAs are silent.
pub(crate) fn untold(why: impl fmt::Display) -> Rejection {
    Rejection::unavailable("what CAs say about revocation", why)
}

/// The certificates (SHA-256) of which CAs told nothing a moment ago: presenting one again asks nobody.
#[derive(Debug, Default)]
pub(crate) struct Untold(Mutex<HashMap<[u8; 32], Instant>>);

impl Untold {
    pub(crate) fn is_recent(&self, leaf: &[u8; 32]) -> bool {
        let since = self.lock().get(leaf).copied();
        since.is_some_and(|since| since.elapsed() < PAUSE)
    }

    pub(crate) fn note(&self, leaf: [u8; 32]) {
        let mut untold = self.lock();
        if untold.len() >= MAX_UNTOLD {
            untold.clear();
        }
        untold.insert(leaf, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks CAs on behalf of one holder, while there is a place for it to wait.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    revocation: &'a Revocation,
    room: &'a Room,
    holder: Holder,
    /// Taken where somebody is asked, and not before.
    place: OnceLock<Option<Place>>,
    was_untold: OnceLock<()>,
}

impl<'a> Asking<'a> {
    pub(crate) const fn new(revocation: &'a Revocation, room: &'a Room, holder: Holder) -> Self {
        Self {
            revocation,
            room,
            holder,
            place: OnceLock::new(),
            was_untold: OnceLock::new(),
        }
    }

    pub(crate) fn options(&self) -> RevocationOptions<'_> {
        let mut options = self.revocation.options();
        options.fetch = options.fetch.map(|_| self as _);
        options
    }

    /// Whether somebody should have been asked, and there was no place.
    pub(crate) fn had_no_place(&self) -> bool {
        self.place.get().is_some_and(Option::is_none)
    }

    /// Whether somebody was asked, and did not tell.
    pub(crate) fn was_untold(&self) -> bool {
        self.was_untold.get().is_some()
    }

    /// Nobody tells whether a certificate was revoked. Where CAs are asked, that says nothing against the client.
    pub(crate) fn untold(&self, why: impl fmt::Display) -> Rejection {
        let Some(fetcher) = &self.revocation.fetcher else {
            return Rejection::of(RuleId::Revocation, why);
        };
        self.was_untold.get_or_init(|| ());
        let faults = fetcher.take_faults().join("; ");
        untold(format_args!("{why} ({faults})"))
    }

    fn fetcher(&self) -> Option<&RevocationFetcher> {
        let place = self.place.get_or_init(|| self.room.place(&self.holder));
        let fetcher = self.revocation.fetcher.as_ref();
        fetcher.filter(|_| place.is_some())
    }
}

impl FetchRevocation for Asking<'_> {
    fn response(
        &self,
        certificate: &RevocationPlaces,
        ask: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
        begun: Instant,
    ) -> Option<OcspResponse> {
        self.fetcher()?.response(certificate, ask, begun)
    }

    fn lists(&self, certificate: &RevocationPlaces, now: UnixTime, begun: Instant) -> Vec<Crl> {
        let lists = self.fetcher().map(|it| it.lists(certificate, now, begun));
        lists.unwrap_or_default()
    }

    fn forget(&self, certificate: &RevocationPlaces) {
        if let Some(fetcher) = self.fetcher() {
            fetcher.forget(certificate);
        }
    }
}
