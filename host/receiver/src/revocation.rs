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

use privyseal_check::RuleId;

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
        Self {
            lists,
            ..Self::default()
        }
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

    /// Whether CAs are asked.
    pub(crate) const fn is_online(&self) -> bool {
        self.online.is_some()
    }

    /// The same by the lists alone; where CAs are asked, they tell the rest.
    pub(crate) fn given(&self) -> RevocationOptions<'_> {
        let mut options = RevocationOptions::files(&self.lists);
        options.allow_unknown = self.allow_unknown || self.is_online();
        options
    }

    /// The same, as the checks take it.
    pub fn options(&self) -> RevocationOptions<'_> {
        let mut options = self.given();
        options.fetch = self.online.as_deref().map(|fetcher| fetcher as _);
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
    pub(crate) revocation: &'a Revocation,
    pub(crate) rooms: &'a Rooms,
    pub(crate) holder: Holder,
    /// Of the certificate under judgement somebody should have been asked, and there was no place.
    pub(crate) had_no_place: AtomicBool,
    /// Nothing was told of a certificate because there was no place.
    pub(crate) was_kept_out: AtomicBool,
}

impl Asking<'_> {
    pub(crate) fn options(&self) -> RevocationOptions<'_> {
        let mut options = self.revocation.options();
        options.fetch = options.fetch.map(|_| self as _);
        options
    }

    /// Nobody tells whether a certificate was revoked. Where CAs are asked, that says nothing against the client.
    pub(crate) fn untold(&self, why: impl fmt::Display) -> Rejection {
        let Some(fetcher) = &self.revocation.online else {
            return Rejection::of(RuleId::Revocation, why);
        };
        let faults = fetcher.take_faults().join("; ");
        untold(format_args!("{why} ({faults})"))
    }

    fn place(&self, server: &str) -> Option<(Place, Place)> {
        let place = self.rooms.place(server, &self.holder);
        if place.is_none() {
            self.had_no_place.store(true, Ordering::Relaxed);
        }
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
        let fetcher = self.revocation.online.as_ref()?;
        fetcher.response_where(certificate, ask, judge, begun, |server| self.place(server))
    }

    fn lists(&self, certificate: &RevocationPlaces, now: UnixTime, begun: Instant) -> Vec<Crl> {
        let fetcher = self.revocation.online.iter();
        let lists = fetcher.flat_map(|fetcher| {
            fetcher.lists_where(certificate, now, begun, |server| self.place(server))
        });
        lists.collect()
    }

    fn forget(&self, certificate: &RevocationPlaces) {
        if self.had_no_place.load(Ordering::Relaxed) {
            self.was_kept_out.store(true, Ordering::Relaxed);
        } else if let Some(fetcher) = &self.revocation.online {
            fetcher.forget(certificate);
        }
    }
}
