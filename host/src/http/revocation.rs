//! What CAs publish about revocation, got from where a certificate says it is (RFC 5280 section 4.2.1.13, RFC 6960
//! appendix A): with limits, no redirect followed, lists and responses kept until their nextUpdate (as RFC 5019 section 6.1
//! has it). Plain HTTP goes by way of the proxy that `http_proxy` names.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use privyseal_core::UnixTime;
use privyseal_hsm::lock;

use super::proxy::{HTTPS, PLAIN};
use super::{Http, HttpOptions, HttpWatcher, Response, Url};
use crate::base::entropy;
use crate::pki::crl::Crl;
use crate::pki::ocsp::{OcspQuestion, OcspResponse};
use crate::pki::revocation::{FetchRevocation, Revocation, RevocationPlaces};

/// The largest list that is fetched, in bytes: several times those of national CAs.
const MAX_LIST: usize = 32 * 1024 * 1024;

/// The largest OCSP response, in bytes: it has a chain of certificates at most.
const MAX_RESPONSE: usize = 64 * 1024;

/// The most places of one kind that are asked for one certificate.
const MAX_PLACES: usize = 4;

/// How many lists are kept, and how many responses.
const MAX_KEPT: usize = 10_000;

/// How many bytes of them: several of the largest lists.
const MAX_KEPT_BYTES: usize = 8 * MAX_LIST;

/// How many faults are kept: those that nobody took are the oldest.
const MAX_FAULTS: usize = 32;

/// How long one of these servers may take: shorter than what waits for it.
const TIMEOUT: Duration = Duration::from_secs(15);

/// From this time after the beginning of a judgement on, none of them is asked any more.
const TOTAL: Duration = Duration::from_secs(30);

/// Fetches revocation lists and OCSP responses, over HTTP as they are published. What comes is signed, and is proved
/// by those who asked.
#[derive(Debug)]
pub struct RevocationFetcher {
    https: Http,
    plain: Http,
    total: Duration,
    lists: Mutex<Kept<Crl>>,
    responses: Mutex<Kept<OcspResponse>>,
    /// When an address was asked last. It is locked meanwhile, so that of several who need it one asks.
    asked: Mutex<HashMap<String, Arc<Mutex<Option<Instant>>>>>,
    faults: Mutex<Vec<String>>,
}

/// What servers gave, with its length and when.
#[derive(Debug)]
struct Kept<V>(HashMap<Vec<u8>, (V, usize, Instant)>);

impl<V> Default for Kept<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<V: Clone> Kept<V> {
    fn get(&self, key: &[u8]) -> Option<V> {
        self.0.get(key).map(|(value, ..)| value.clone())
    }

    /// Keeps it, in place of the oldest where there is no room.
    fn insert(&mut self, key: &[u8], value: V, len: usize) {
        self.0.insert(key.to_vec(), (value, len, Instant::now()));
        let bytes: usize = self.0.values().map(|(_, len, _)| len).sum();
        if bytes <= MAX_KEPT_BYTES && self.0.len() <= MAX_KEPT {
            return;
        }
        let mut times: Vec<_> = self.0.values().map(|(_, len, at)| (*at, *len)).collect();
        times.sort_unstable_by(|one, other| other.cmp(one));
        // A quarter of the room at once: this is not done for each of many.
        let mut bytes = 0_usize;
        let last = times.iter().enumerate().find(|(index, (_, len))| {
            bytes = bytes.saturating_add(*len);
            bytes > MAX_KEPT_BYTES / 4 * 3 || *index >= MAX_KEPT / 4 * 3
        });
        if let Some((_, (last, _))) = last {
            self.0.retain(|_, (_, _, at)| *at > *last);
        }
    }
}

impl RevocationFetcher {
    /// One that waits as `options` say, no longer than 15 s for one server, and asks none from 30 s after the beginning of
    /// a judgement on.
    pub fn new(options: &HttpOptions) -> Self {
        let options = options.clone().timeout(options.timeout.min(TIMEOUT));
        Self {
            https: Http::with(&options, HTTPS, "*/*"),
            plain: Http::with(&options, PLAIN, "*/*"),
            total: TOTAL,
            lists: Mutex::default(),
            responses: Mutex::default(),
            asked: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// The same, which tells what it does.
    #[must_use]
    pub fn watched_by(mut self, watcher: Arc<dyn HttpWatcher>) -> Self {
        self.https = self.https.watched_by(Arc::clone(&watcher));
        self.plain = self.plain.watched_by(watcher);
        self
    }

    /// Asks no server from that time after the beginning of a judgement on.
    #[must_use]
    pub const fn within(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    /// Why servers gave nothing since this was last asked: sentences that name them.
    pub fn take_faults(&self) -> Vec<String> {
        core::mem::take(&mut lock(&self.faults))
    }

    /// What `get` gets, if the server says that it is there.
    fn body(
        &self,
        url: &Url,
        begun: Instant,
        get: impl FnOnce(&Http) -> Result<Response, super::HttpError>,
    ) -> Option<Vec<u8>> {
        if begun.elapsed() >= self.total {
            let seconds = self.total.as_secs();
            self.note(format!(
                "{url} was not asked: {seconds} s were spent on others"
            ));
            return None;
        }
        let http = if url.as_str().starts_with("https:") {
            &self.https
        } else {
            &self.plain
        };
        let fault = match get(http) {
            Ok(response) if response.status == 200 => return Some(response.body.to_vec()),
            Ok(response) => format!("{url} answered with status {}", response.status),
            Err(error) => error.to_string(),
        };
        self.note(fault);
        None
    }

    fn note(&self, fault: String) {
        let mut faults = lock(&self.faults);
        if faults.len() >= MAX_FAULTS {
            faults.remove(0);
        }
        faults.push(fault);
    }

    /// The list at `text`, current if it can be had.
    fn list<P>(
        &self,
        text: &str,
        now: UnixTime,
        begun: Instant,
        place: &impl Fn(&str) -> Option<P>,
    ) -> Option<Crl> {
        let kept = || lock(&self.lists).get(text.as_bytes());
        let is_current = |list: &Crl| list.next_update().is_some_and(|next| now <= next);
        if let Some(list) = kept().filter(is_current) {
            return Some(list);
        }
        // What is no URL of HTTP is one of LDAP, most likely.
        let url = Url::of_signed_data(text).ok()?;
        let _place = place(url.origin())?;
        let asked = Arc::clone(lock(&self.asked).entry(text.to_owned()).or_default());
        let mut asked_at = lock(&asked);
        // What was asked for while this one waited is its outcome, too.
        if asked_at.is_none_or(|at| at < begun) && !kept().as_ref().is_some_and(is_current) {
            if let Some((list, len)) = self.fetched(&url, begun) {
                lock(&self.lists).insert(text.as_bytes(), list, len);
            }
            *asked_at = Some(Instant::now());
        }
        drop(asked_at);
        drop(asked);
        lock(&self.asked).retain(|_, others| Arc::strong_count(others) > 1);
        kept()
    }

    fn fetched(&self, url: &Url, begun: Instant) -> Option<(Crl, usize)> {
        let body = self.body(url, begun, |http| http.get_public(url, MAX_LIST))?;
        match Crl::from_bytes(&body) {
            Ok(mut lists) => Some((lists.pop()?, body.len())),
            Err(error) => {
                self.note(format!(
                    "what {:?} gave cannot be used: {error}",
                    url.as_str()
                ));
                None
            }
        }
    }

    /// [`FetchRevocation::response`], where only who gets a `place` waits for a server, whose scheme, host and port it is
    /// asked with.
    pub fn response_where<P>(
        &self,
        certificate: &RevocationPlaces,
        ask: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
        judge: &dyn Fn(&OcspResponse) -> Revocation,
        begun: Instant,
        place: impl Fn(&str) -> Option<P>,
    ) -> Option<Revocation> {
        let is_known = |status: &Revocation| !matches!(status, Revocation::Unknown(_));
        certificate.responders.first()?;
        let id = ask(&[0])?.id();
        let kept = lock(&self.responses).get(&id);
        if let Some(status) = kept.map(|kept| judge(&kept)).filter(is_known) {
            return Some(status);
        }
        let mut unknown = None;
        for url in certificate.responders.iter().take(MAX_PLACES) {
            let Ok(url) = Url::of_signed_data(url) else {
                continue;
            };
            let Some(_place) = place(url.origin()) else {
                continue;
            };
            let mut nonce = [0; 16];
            entropy::fill(&mut nonce).ok()?;
            let question = ask(&nonce)?;
            let request = question.to_der();
            let body = self.body(&url, begun, |http| {
                http.post(&url, "application/ocsp-request", &request, MAX_RESPONSE)
            });
            let Some(body) = body else { continue };
            let len = body.len();
            let response = question.response(body);
            let status = judge(&response);
            if is_known(&status) {
                lock(&self.responses).insert(&id, response.kept(), len);
                return Some(status);
            }
            unknown = Some(status);
        }
        unknown
    }

    /// [`FetchRevocation::lists`], in the same way.
    pub fn lists_where<P>(
        &self,
        certificate: &RevocationPlaces,
        now: UnixTime,
        begun: Instant,
        place: impl Fn(&str) -> Option<P>,
    ) -> Vec<Crl> {
        let places = certificate.lists.iter().take(MAX_PLACES);
        places
            .filter_map(|url| self.list(url, now, begun, &place))
            .collect()
    }
}

impl FetchRevocation for RevocationFetcher {
    fn response(
        &self,
        certificate: &RevocationPlaces,
        ask: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
        judge: &dyn Fn(&OcspResponse) -> Revocation,
        begun: Instant,
    ) -> Option<Revocation> {
        self.response_where(certificate, ask, judge, begun, |_| Some(()))
    }

    fn lists(&self, certificate: &RevocationPlaces, now: UnixTime, begun: Instant) -> Vec<Crl> {
        self.lists_where(certificate, now, begun, |_| Some(()))
    }

    fn forget(&self, certificate: &RevocationPlaces) {
        let mut lists = lock(&self.lists);
        for url in &certificate.lists {
            lists.0.remove(url.as_bytes());
        }
    }
}
