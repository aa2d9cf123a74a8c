//! By what revocation is judged, owned by a receiver that lives long.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use privyseal::UnixTime;
use privyseal::http::RevocationFetcher;
use privyseal::pki::crl::Crl;
use privyseal::pki::ocsp::{OcspQuestion, OcspResponse};
use privyseal::pki::revocation::{
    FetchRevocation, Revocation as Told, RevocationOptions, RevocationPlaces,
};

use crate::Rejection;
use crate::shares::{Holder, Place, Rooms};

/// Lists, and who gets more. By default revocation is not judged.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    lists: Vec<Crl>,
    /// It lives on where the lists are replaced, with what it keeps.
    online: Option<Arc<RevocationFetcher>>,
    allow_unknown: bool,
}

impl Revocation {
    /// By these lists.
    pub fn by_lists(lists: Vec<Crl>) -> Self {
        Self::default().with_lists(lists)
    }

    privyseal_hsm::setters! {
        /// Also by what each certificate's CA publishes.
        online: RevocationFetcher = Some(Arc::new(online));
        /// Accepts certificates of which it cannot be told whether they were revoked.
        allow_unknown: bool = allow_unknown;
    }

    /// The same by other lists. What was fetched is kept.
    pub(crate) fn with_lists(&self, lists: Vec<Crl>) -> Self {
        Self {
            lists,
            ..self.clone()
        }
    }

    /// Who asks CAs, if they are asked.
    pub(crate) fn fetcher(&self) -> Option<&RevocationFetcher> {
        self.online.as_deref()
    }

    /// The same by the lists alone; where CAs are asked, they tell the rest.
    pub(crate) fn given(&self) -> RevocationOptions<'_> {
        let mut options = RevocationOptions::files(&self.lists);
        options.allow_unknown = self.allow_unknown || self.online.is_some();
        options
    }

    /// The same, as the checks take it.
    pub fn options(&self) -> RevocationOptions<'_> {
        let mut options = self.given();
        options.fetch = self.fetcher().map(|fetcher| fetcher as _);
        options.allow_unknown = self.allow_unknown;
        options
    }
}

/// For how long nobody is asked again about a certificate of which nothing was told.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// Nothing is found against a client whose CAs are silent.
pub(crate) fn untold(why: impl fmt::Display) -> Rejection {
    Rejection::unavailable("what CAs say about revocation", why)
}

/// Asks CAs on behalf of one holder, while there is a place for it to wait.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) fetcher: &'a RevocationFetcher,
    pub(crate) rooms: &'a Rooms,
    pub(crate) holder: Holder,
    /// Of the certificate under judgement somebody should have been asked, and there was no place.
    pub(crate) had_no_place: AtomicBool,
    /// Nothing was told of a certificate because there was no place.
    pub(crate) was_kept_out: AtomicBool,
}

impl Asking<'_> {
    fn place(&self, server: &str) -> Option<(Place, Place)> {
        let place = self.rooms.place(server, &self.holder);
        self.had_no_place
            .fetch_or(place.is_none(), Ordering::Relaxed);
        place
    }
}

impl FetchRevocation for Asking<'_> {
    fn response(
        &self,
        certificate: &RevocationPlaces,
        ask: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
        judge: &dyn Fn(&OcspResponse) -> Told,
        begun: Instant,
    ) -> Option<Told> {
        self.had_no_place.store(false, Ordering::Relaxed);
        let place = |server: &str| self.place(server);
        self.fetcher
            .response_where(certificate, ask, judge, begun, place)
    }

    fn lists(&self, certificate: &RevocationPlaces, now: UnixTime, begun: Instant) -> Vec<Crl> {
        let place = |server: &str| self.place(server);
        self.fetcher.lists_where(certificate, now, begun, place)
    }

    fn forget(&self, certificate: &RevocationPlaces) {
        if self.had_no_place.load(Ordering::Relaxed) {
            self.was_kept_out.store(true, Ordering::Relaxed);
        } else {
            self.fetcher.forget(certificate);
        }
    }
}
