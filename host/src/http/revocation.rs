//! What CAs publish about revocation, got from where a certificate says it is (RFC 5280 section 4.2.1.13, RFC 6960
//! appendix A): with limits, no redirect followed, and lists kept until their nextUpdate. Plain HTTP goes by way of the
//! proxy that `http_proxy` names.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use privyseal_core::UnixTime;

use super::proxy::{HTTPS, PLAIN};
use super::{Http, HttpOptions, HttpWatcher, Response, Url};
use crate::base::entropy;
use crate::pki::crl::Crl;
use crate::pki::ocsp::{OcspQuestion, OcspResponse};
use crate::pki::revocation::{FetchRevocation, RevocationPlaces};

/// The largest list that is fetched, in bytes: several times those of national CAs.
const MAX_LIST: usize = 32 * 1024 * 1024;

/// The largest OCSP response, in bytes: it has a chain of certificates at most.
const MAX_RESPONSE: usize = 64 * 1024;

/// The most places of one kind that are asked for one certificate.
const MAX_PLACES: usize = 4;

/// How many lists are kept.
const MAX_KEPT: usize = 64;

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
    kept: Mutex<HashMap<String, Arc<Mutex<Kept>>>>,
    faults: Mutex<Vec<String>>,
}

/// What one address gave. It is locked while it is asked, so that of several who need it one asks.
#[derive(Debug, Default)]
struct Kept {
    list: Option<Crl>,
    asked_at: Option<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            kept: Mutex::default(),
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
        url: &str,
        begun: Instant,
        get: impl FnOnce(&Http, &Url) -> Result<Response, super::HttpError>,
    ) -> Option<Vec<u8>> {
        // What is no URL of HTTP is one of LDAP, most likely.
        let url = Url::of_signed_data(url).ok()?;
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
        let fault = match get(http, &url) {
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

    fn list(&self, url: &str, now: UnixTime, begun: Instant) -> Option<Crl> {
        let mut all = lock(&self.kept);
        if all.len() >= MAX_KEPT && !all.contains_key(url) {
            all.clear();
        }
        let kept = Arc::clone(all.entry(url.to_owned()).or_default());
        drop(all);
        let mut kept = lock(&kept);
        let is_current = |list: &Crl| list.next_update().is_some_and(|next| now <= next);
        // What was asked for while this one waited is its outcome, too.
        if kept.asked_at.is_none_or(|at| at < begun) && !kept.list.as_ref().is_some_and(is_current)
        {
            kept.list = self.fetched(url, begun);
            kept.asked_at = Some(Instant::now());
        }
        kept.list.clone()
    }

    fn fetched(&self, url: &str, begun: Instant) -> Option<Crl> {
        let body = self.body(url, begun, |http, url| http.get_public(url, MAX_LIST))?;
        match Crl::from_bytes(&body) {
            Ok(mut lists) => lists.pop(),
            Err(error) => {
                self.note(format!("what {url:?} gave cannot be used: {error}"));
                None
            }
        }
    }
}

impl FetchRevocation for RevocationFetcher {
    fn response(
        &self,
        certificate: &RevocationPlaces,
        ask: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
        begun: Instant,
    ) -> Option<OcspResponse> {
        certificate
            .responders
            .iter()
            .take(MAX_PLACES)
            .find_map(|url| {
                let mut nonce = [0; 16];
                entropy::fill(&mut nonce).ok()?;
                let question = ask(&nonce)?;
                let request = question.to_der();
                let body = self.body(url, begun, |http, url| {
                    http.post(url, "application/ocsp-request", &request, MAX_RESPONSE)
                })?;
                Some(question.response(body))
            })
    }

    fn lists(&self, certificate: &RevocationPlaces, now: UnixTime, begun: Instant) -> Vec<Crl> {
        let places = certificate.lists.iter().take(MAX_PLACES);
        places
            .filter_map(|url| self.list(url, now, begun))
            .collect()
    }

    fn forget(&self, certificate: &RevocationPlaces) {
        lock(&self.kept).retain(|url, _| !certificate.lists.contains(url));
    }
}
