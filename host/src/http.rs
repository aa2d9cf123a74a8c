//! HTTPS for assertions and access tokens: bounded in time and memory, no redirect followed, no
//! certificate left unverified.
//!
//! There is no switch that turns verification off. A redirect is an error that names it: an
//! assertion or a token is for the address it was sent to and no other (RFC 9700 section 4.12).

mod certificate;
mod connection;
mod error;
pub(crate) mod media_type;
mod proxy;
pub mod retry;
mod retry_after;
mod revocation;
mod roots;
mod url;
mod watch;

use core::time::Duration;
use std::env;
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use privyseal_core::UnixTime;
use ureq::http::{self, Method, header};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

use crate::base::events;
use zeroize::Zeroizing;

pub use connection::Connection;
pub use error::{HttpCause, HttpError};
pub use retry::RetryPolicy;
pub use retry_after::RetryAfter;
pub use revocation::RevocationFetcher;
pub use roots::Roots;
pub use url::{BaseUrl, MAX_URL, Url, UrlError};
pub use watch::{HttpWatcher, WatchedRuntime};

use crate::base::runtime::Runtime;
use retry::{FailedTry, Retryable};

/// How long one request may take, from the name lookup to the last byte of the response.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long setting up a connection may take of that.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest response to a call made with an access token, in bytes: room for some thousand records
/// on one page.
pub const MAX_CALL_RESPONSE: usize = 1024 * 1024;

/// The largest head of a response, in bytes; twice what servers commonly send at most.
const MAX_HEAD: usize = 16 * 1024;

/// What an HTTP client needs to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpOptions {
    /// Whom to trust.
    pub roots: Roots,
    /// How long one request may take in all.
    pub timeout: Duration,
    /// How often, and for how long, something is read ([`Http::retry_idempotent`]). What is sent with an
    /// assertion is sent once; [`retry::retry`] makes a new one for each try.
    pub retry: RetryPolicy,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            roots: Roots::default(),
            timeout: DEFAULT_TIMEOUT,
            retry: RetryPolicy::default(),
        }
    }
}

impl HttpOptions {
    privyseal_hsm::setters! {
        /// Trusts these roots.
        roots: Roots = roots;
        /// Gives one request that long in all.
        timeout: Duration = timeout;
        /// Reads again as this policy says.
        retry: RetryPolicy = retry;
    }
}

/// An HTTPS client. Proxies are taken from `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, as curl does; where one of them
/// cannot be used, each request is an error that says so ([`HttpCause::ProxyVariable`]).
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    roots: Roots,
    timeout: Duration,
    retry: RetryPolicy,
    watcher: Option<Arc<dyn HttpWatcher>>,
    /// A variable that names a proxy that cannot be used: nothing is sent then.
    unusable_proxy: Option<&'static str>,
}

/// A response, whatever its status.
#[non_exhaustive]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// When to come back, where the server says so.
    pub retry_after: Option<RetryAfter>,
    /// Where a redirect points.
    pub location: Option<String>,
    /// The media type without parameters, in lower case. Not for messages: a server writes what it likes.
    pub media_type: Option<String>,
    /// How it wants to be asked, where it refused (`WWW-Authenticate`).
    pub challenge: Option<String>,
    /// For how many seconds it may be kept by anybody, where it says so (`Cache-Control`, `Expires`; RFC 9111 section
    /// 4.2.1).
    pub max_age: Option<u64>,
    /// The server's clock, where it says so (`Date`, later by the `Age` of what a cache had kept).
    pub date: Option<UnixTime>,
    /// The body, which may hold a token: it is wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
}

impl Http {
    /// A client that trusts and waits as `options` say.
    pub fn new(options: &HttpOptions) -> Self {
        Self::with(options, proxy::HTTPS, "application/json")
    }

    fn with(options: &HttpOptions, proxies: proxy::Variables, accept: &str) -> Self {
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(options.roots.to_ureq())
            .build();
        let variable = |name: &str| Some(env::var_os(name)?.to_string_lossy().into_owned());
        let proxy = proxy::from_variables(proxies, variable);
        let unusable_proxy = proxy.as_ref().err().copied();
        let config = Agent::config_builder()
            .proxy(proxy.ok().flatten())
            .tls_config(tls)
            .https_only(proxies == proxy::HTTPS)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(options.timeout))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(options.timeout)))
            .max_response_header_size(MAX_HEAD)
            .user_agent(concat!("privyseal/", env!("CARGO_PKG_VERSION")))
            .accept(accept)
            .build();
        Self {
            agent: config.new_agent(),
            roots: options.roots.clone(),
            timeout: options.timeout,
            retry: options.retry,
            watcher: None,
            unusable_proxy,
        }
    }

    /// The same, which tells what it does.
    #[must_use]
    pub fn watched_by(mut self, watcher: Arc<dyn HttpWatcher>) -> Self {
        self.watcher = Some(watcher);
        self
    }

    /// For [`retry::retry`]: the watcher is told of the pauses.
    pub fn runtime(&self) -> WatchedRuntime<'_> {
        WatchedRuntime::new(self)
    }

    pub(crate) const fn policy(&self) -> &RetryPolicy {
        &self.retry
    }

    /// Reads what needs no assertion, and reads it again as the options allow: also after a broken connection.
    ///
    /// # Errors
    ///
    /// That of the last try.
    pub fn retry_idempotent<T, E: Retryable>(
        &self,
        mut read: impl FnMut(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let attempt = |_: &mut dyn Runtime| read(self);
        retry::retry_while(&self.retry, &mut self.runtime(), attempt, |failed| {
            !matches!(failed, FailedTry::TimedOut | FailedTry::Final)
        })
    }

    /// Posts a form. The response may be at most `max` bytes.
    ///
    /// # Errors
    ///
    /// No response came, or one that is too large or not HTTP.
    pub fn post_form(&self, url: &Url, form: &[u8], max: usize) -> Result<Response, HttpError> {
        self.post(url, "application/x-www-form-urlencoded", form, max)
    }

    fn post(
        &self,
        url: &Url,
        media_type: &str,
        body: &[u8],
        max: usize,
    ) -> Result<Response, HttpError> {
        self.send(Method::POST, url, None, Some((media_type, body)), max)
    }

    /// Sends a request, with an access token (RFC 6750 section 2.1) and a body of that media type where they are given.
    pub(crate) fn send(
        &self,
        method: Method,
        url: &Url,
        bearer: Option<&str>,
        sent: Option<(&str, &[u8])>,
        max: usize,
    ) -> Result<Response, HttpError> {
        let mut request = http::Request::builder().method(method).uri(url.as_str());
        if let Some(bearer) = bearer {
            let bearer = Zeroizing::new(format!("Bearer {bearer}"));
            request = request.header(header::AUTHORIZATION, bearer.as_str());
        }
        self.watched(url, || {
            let response = if let Some((media_type, body)) = sent {
                let request = request.header(header::CONTENT_TYPE, media_type);
                let request = request.body(body).map_err(Into::into);
                request.and_then(|request| self.agent.run(request))
            } else {
                let request = request.body(()).map_err(Into::into);
                request.and_then(|request| self.agent.run(request))
            };
            let response = response.map_err(|error: ureq::Error| HttpError::new(url, error))?;
            Response::read(url, response, max)
        })
    }

    /// The server's clock, as the `Date` of its response to `HEAD url` says, whatever the status is; `None` if
    /// it does not say. No redirect is followed.
    ///
    /// # Errors
    ///
    /// No response came, or one that is too large or not HTTP.
    pub fn date(&self, url: &Url) -> Result<Option<UnixTime>, HttpError> {
        let response = self.watched(url, || {
            let call = self.agent.head(url.as_str()).call();
            call.map_err(|error| HttpError::new(url, error))
        })?;
        let date = response.headers().get(header::DATE);
        Ok(date
            .and_then(|value| value.to_str().ok())
            .and_then(retry_after::date))
    }

    /// Gets a resource that is for everybody: a provider's metadata or keys. The response may be at most
    /// `max` bytes.
    ///
    /// # Errors
    ///
    /// No response came, or one that is too large or not HTTP.
    pub fn get_public(&self, url: &Url, max: usize) -> Result<Response, HttpError> {
        self.send(Method::GET, url, None, None, max)
    }

    /// Gets a resource with an access token (RFC 6750 section 2.1). The response may be at most `max`
    /// bytes.
    ///
    /// # Errors
    ///
    /// No response came, or one that is too large or not HTTP.
    pub fn get(&self, url: &Url, bearer: &str, max: usize) -> Result<Response, HttpError> {
        self.send(Method::GET, url, Some(bearer), None, max)
    }

    fn watched<T>(
        &self,
        url: &Url,
        request: impl FnOnce() -> Result<T, HttpError>,
    ) -> Result<T, HttpError> {
        if let Some(name) = self.unusable_proxy {
            return Err(HttpError::proxy_variable(url, name));
        }
        if let Some(watcher) = &self.watcher {
            watcher.asking(url, self.timeout);
        }
        let begun = Instant::now();
        let outcome = request();
        let took = begun.elapsed();
        match &outcome {
            Ok(_) => events::debug!(%url, ?took, "a server answered"),
            Err(error) => events::debug!(%error, ?took, "a server did not answer"),
        }
        if let Some(watcher) = &self.watcher {
            watcher.answered();
        }
        outcome
    }
}

privyseal_core::opaque_debug! { [] Http; }

impl Response {
    fn read(url: &Url, mut raw: http::Response<Body>, max: usize) -> Result<Self, HttpError> {
        let text = |name| {
            raw.headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let date = text(header::DATE).and_then(retry_after::date);
        let retry_after = text(header::RETRY_AFTER).and_then(RetryAfter::parse);
        let retry_after = retry_after.map(|retry_after| retry_after.counted_from(date));
        let location = text(header::LOCATION).map(str::to_owned);
        let challenge = text(header::WWW_AUTHENTICATE).map(str::to_owned);
        let media_type = text(header::CONTENT_TYPE).map(media_type::parse);
        // What is no date is long over (RFC 9111 section 5.3).
        let expires = text(header::EXPIRES).map(|text| {
            let left = |at: UnixTime| Some(at.as_secs().saturating_sub(date?.as_secs()));
            retry_after::date(text).map_or(Some(0), left)
        });
        let max_age = text(header::CACHE_CONTROL)
            .and_then(max_age)
            .or(expires.flatten());
        let age = text(header::AGE).and_then(|age| age.trim().parse().ok());
        let date = date.map(|date| date.saturating_add(age.unwrap_or(0)));
        let mut response = Self {
            status: raw.status().as_u16(),
            retry_after,
            location,
            media_type,
            challenge,
            max_age,
            date,
            body: Zeroizing::new(Vec::new()),
        };
        if response.is_redirect() {
            // What a redirect has to say stands in its head.
            return Ok(response);
        }
        let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
        // Reserved at once, so that no copy of a token is left behind by a growing vector; what is larger holds none.
        let len = raw.body().content_length();
        let len = len.and_then(|len| usize::try_from(len).ok());
        let room = len.map_or(max, |len| len.min(max)).min(MAX_CALL_RESPONSE);
        let mut body = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
        raw.body_mut()
            .with_config()
            .limit(bound)
            .reader()
            .take(bound)
            .read_to_end(&mut body)
            .map_err(|error| HttpError::new(url, error.into()))?;
        if body.len() > max {
            return Err(HttpError::too_large(url, max));
        }
        response.body = body;
        Ok(response)
    }

    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether the server sends the client elsewhere.
    pub const fn is_redirect(&self) -> bool {
        matches!(self.status, 300..=399)
    }
}

/// What a `Cache-Control` says of the time for which a response may be kept, by one's own cache or by one that is shared
/// (`s-maxage`): the longer one.
fn max_age(value: &str) -> Option<u64> {
    let least = |wanted: &str| {
        let directives = value.split(',').map(str::trim);
        let ages = directives.filter_map(|directive| {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => Some(0),
                name if name == wanted => delta_seconds(value.trim_matches('"')),
                _ => None,
            }
        });
        ages.min()
    };
    least("max-age").max(least("s-maxage"))
}

/// RFC 9111 section 1.2.2: what is too large is 2^31.
fn delta_seconds(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(1 << 31))
}

privyseal_core::opaque_debug! {
    [] Response as it:
        status, media_type = media_type::shown(it.media_type.as_deref()),
        body = format_args!("{} bytes", it.body.len());
}

/// A header that is there once. For servers: of two, another reader may take the other.
pub fn only_header<'h>(
    headers: &'h http::HeaderMap,
    name: &http::HeaderName,
) -> Option<&'h http::HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether a header is not there, or there once and says this, in any case. For servers.
pub fn is_only(headers: &http::HeaderMap, name: &http::HeaderName, value: &str) -> bool {
    let says = |it: &http::HeaderValue| it.as_bytes().eq_ignore_ascii_case(value.as_bytes());
    !headers.contains_key(name) || only_header(headers, name).is_some_and(says)
}

#[cfg(test)]
mod tests {
    use super::max_age;

    #[test]
    fn how_long_a_response_may_be_kept() {
        for (value, expected) in [
            ("max-age=3600", Some(3600)),
            ("public, Max-Age=\"60\", must-revalidate", Some(60)),
            ("max-age=60, max-age=5", Some(5)),
            ("no-store, max-age=60", Some(0)),
            ("private", None),
            ("max-age=soon", None),
            ("max-age=+5", None),
            ("max-age=99999999999999999999999", Some(1 << 31)),
            ("s-maxage=9", Some(9)),
            ("max-age=5, s-maxage=9", Some(9)),
            ("max-age=9, s-maxage=5", Some(9)),
            ("no-store, s-maxage=9", Some(0)),
            ("", None),
        ] {
            assert_eq!(max_age(value), expected, "{value}");
        }
    }
}
