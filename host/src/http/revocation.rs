//! What CAs publish about revocation, got from where a certificate says it is (RFC 5280 section 4.2.1.13, RFC 6960
//! appendix A): with limits, no redirect followed, and lists kept until their nextUpdate.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use privyseal_core::UnixTime;

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

/// How long one of these servers may take: shorter than what waits for it.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Fetches revocation lists and OCSP responses, over HTTP as they are published. What comes is signed, and is proved
/// by those who asked.
#[derive(Debug)]
pub struct RevocationFetcher {
    http: Http,
    kept: Mutex<HashMap<String, Crl>>,
    faults: Mutex<Vec<String>>,
}

impl RevocationFetcher {
    /// One that waits as `options` say, and no longer than 15 s for one server.
    pub fn new(options: &HttpOptions) -> Self {
        let options = options.clone().timeout(options.timeout.min(TIMEOUT));
        Self {
            http: Http::with(&options, false, "*/*"),
            kept: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// The same, which tells what it does.
    #[must_use]
    pub fn watched_by(mut self, watcher: Arc<dyn HttpWatcher>) -> Self {
        self.http = self.http.watched_by(watcher);
        self
    }

    /// Why servers gave nothing since this was last asked: sentences that name them.
    pub fn take_faults(&self) -> Vec<String> {
        core::mem::take(&mut self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What `get` gets, if the server says that it is there.
    fn body(
        &self,
        url: &str,
        get: impl FnOnce(&Url) -> Result<Response, super::HttpError>,
    ) -> Option<Vec<u8>> {
        // What is no URL of HTTP is one of LDAP, most likely.
        let url = Url::of_signed_data(url).ok()?;
        let fault = match get(&url) {
            Ok(response) if response.status == 200 => return Some(response.body.to_vec()),
            Ok(response) => format!("{url} answered with status {}", response.status),
            Err(error) => error.to_string(),
        };
        self.note(fault);
        None
    }

    fn note(&self, fault: String) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    fn list(&self, url: &str, now: UnixTime) -> Option<Crl> {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().get(url).cloned();
        if let Some(kept) = kept.filter(|kept| kept.next_update().is_some_and(|next| now <= next)) {
            return Some(kept);
        }
        let body = self.body(url, |url| self.http.get_public(url, MAX_LIST))?;
        let list = match Crl::from_bytes(&body).map(|mut lists| lists.pop()) {
            Ok(list) => list?,
            Err(error) => {
                self.note(format!("what {url:?} gave cannot be used: {error}"));
                return None;
            }
        };
        let mut kept = lock();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(url.to_owned(), list.clone());
        Some(list)
    }
}

impl FetchRevocation for RevocationFetcher {
    fn response(
        &self,
        certificate: &RevocationPlaces,
        ask: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
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
                let body = self.body(url, |url| {
                    self.http
                        .post(url, "application/ocsp-request", &request, MAX_RESPONSE)
                })?;
                Some(question.response(body))
            })
    }

    fn lists(&self, certificate: &RevocationPlaces, now: UnixTime) -> Vec<Crl> {
        let places = certificate.lists.iter().take(MAX_PLACES);
        places.filter_map(|url| self.list(url, now)).collect()
    }

    fn forget(&self, certificate: &RevocationPlaces) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|url, _| !certificate.lists.contains(url));
    }
}
