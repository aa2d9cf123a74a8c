//! By what revocation is judged, owned by a receiver that lives long.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use privyseal::UnixTime;
use privyseal::http::RevocationFetcher;
use privyseal::pki::crl::Crl;
use privyseal::pki::ocsp::{OcspQuestion, OcspResponse};
use privyseal::pki::revocation::{
    FetchRevocation, Revocation as Told, RevocationOptions, RevocationPlaces, Unknown,
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

/// For how many seconds nobody is asked again about a certificate that was refused.
pub(crate) const PAUSE: u64 = 5;

/// What keeps one who could tell about revocation from it: it does not answer, or there is no place to wait for it.
pub(crate) const SILENT: u8 = 1;
pub(crate) const NO_PLACE: u8 = 2;

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
    /// What keeps somebody from telling about the certificate under judgement; 0 where it is nothing.
    pub(crate) current: AtomicU8,
    /// The most of those of which nothing was told.
    pub(crate) worst: AtomicU8,
}

impl Asking<'_> {
    fn place(&self, server: &str) -> Option<(Place, Place)> {
        let place = self.rooms.place(server, &self.holder);
        let fault = if place.is_none() { NO_PLACE } else { 0 };
        self.current.fetch_max(fault, Ordering::Relaxed);
        place
    }

    fn note_silent(&self, is_silent: bool) {
        self.current.fetch_max(is_silent.into(), Ordering::Relaxed);
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
        self.current.store(0, Ordering::Relaxed);
        let place = |server: &str| self.place(server);
        let fetcher = self.fetcher;
        let told = fetcher.response_where(certificate, ask, judge, begun, place);
        // One that does not know the certificate has told all that it can.
        let is_silent = told
            .is_none_or(|told| matches!(told, Told::Unknown(why) if why != Unknown::NotCovered));
        self.note_silent(is_silent && !certificate.responders.is_empty());
        told
    }

    fn lists(&self, certificate: &RevocationPlaces, now: UnixTime, begun: Instant) -> Vec<Crl> {
        let place = |server: &str| self.place(server);
        let lists = self.fetcher.lists_where(certificate, now, begun, place);
        let is_current = |list: &&Crl| list.next_update().is_some_and(|next| now <= next);
        let urls = certificate.lists.iter();
        // Nobody asks for those of LDAP.
        let urls = urls.filter(|url| url.starts_with("http"));
        self.note_silent(lists.iter().filter(is_current).count() < urls.count());
        lists
    }

    fn forget(&self, certificate: &RevocationPlaces) {
        let fault = self.current.load(Ordering::Relaxed);
        self.worst.fetch_max(fault, Ordering::Relaxed);
        if fault < NO_PLACE {
            self.fetcher.forget(certificate);
        }
    }
}

#[cfg(test)]
mod tests {
    use privyseal::http::HttpOptions;

    use super::*;

    #[test]
    fn lists_may_leave_open_what_cas_are_asked() {
        let lists = Revocation::default();
        assert!(!lists.given().allow_unknown && !lists.options().allow_unknown);
        let online = lists.online(RevocationFetcher::new(&HttpOptions::default()));
        assert!(online.given().allow_unknown && online.given().fetch.is_none());
        assert!(!online.options().allow_unknown && online.options().fetch.is_some());
        let lenient = online.allow_unknown(true);
        assert!(lenient.options().allow_unknown);
    }

    /// At that address there is nobody.
    #[test]
    fn a_ca_is_asked_by_who_has_a_place() {
        let fetcher = RevocationFetcher::new(&HttpOptions::default());
        let mut certificate = RevocationPlaces::default();
        certificate.lists = vec!["http://127.0.0.1:1/list".to_owned()];
        let now = UnixTime::from_secs(1_800_000_000).unwrap();
        for (places, was_asked, fault) in [(96, true, SILENT), (0, false, NO_PLACE)] {
            let asking = Asking {
                fetcher: &fetcher,
                rooms: &Rooms::new(places),
                holder: Holder::default(),
                current: AtomicU8::default(),
                worst: AtomicU8::default(),
            };
            assert!(asking.lists(&certificate, now, Instant::now()).is_empty());
            asking.forget(&certificate);
            assert_eq!(!fetcher.take_faults().is_empty(), was_asked);
            assert_eq!(asking.worst.into_inner(), fault);
        }
    }
}
