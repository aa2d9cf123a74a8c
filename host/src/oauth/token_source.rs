//! Access tokens of one server, asked for when they are needed and kept in memory until shortly before they
//! expire.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use privyseal_core::UnixTime;
use privyseal_hsm::lock;

use super::{AccessToken, AssertionOptions, AssertionSource, OAuthError, RefreshToken};
use crate::base::events;
use crate::base::runtime::{Runtime, SystemRuntime};
use crate::http::retry::{RetryPolicy, retry};
use crate::http::{BaseUrl, Http};

/// The most seconds before its expiry at which a token is not used any more: time for the call that is made
/// with it. Of a short-lived token it is a tenth of its life.
pub const MAX_MARGIN: u64 = 30;

/// The most seconds for which a token is kept, whatever the server says of it.
const MAX_KEPT: u64 = 24 * 3600;

/// The tokens of one server, for one client.
///
/// Make one for each server, keep it and share it: however many threads ask, one request is under way. The key is
/// not in it: one [`AssertionSource`] serves any number of sources. Nothing is ever written to a disk.
pub struct TokenSource<R = SystemRuntime> {
    http: Http,
    base: BaseUrl,
    options: AssertionOptions,
    scope: Option<String>,
    policy: RetryPolicy,
    state: Mutex<State<R>>,
    /// How many requests have ended, and how many threads want a token.
    ended: AtomicUsize,
    waiting: AtomicUsize,
}

struct State<R> {
    runtime: R,
    cached: Option<CachedToken>,
    refresh: Option<(RefreshToken, Option<UnixTime>)>,
    /// How the last request failed, for the threads that waited for it.
    failure: Option<Arc<OAuthError>>,
}

struct CachedToken {
    token: Arc<AccessToken>,
    from: UnixTime,
    until: UnixTime,
}

impl TokenSource {
    /// The tokens of the token endpoint below `base`. Of `options`, `now` and `jti` are not used: each
    /// assertion has its own.
    pub fn new(http: Http, base: BaseUrl, options: AssertionOptions) -> Self {
        Self::with_runtime(http, base, options, SystemRuntime::default())
    }
}

impl<R: Runtime> TokenSource<R> {
    /// The same, with clock, sleep and randomness from elsewhere.
    pub fn with_runtime(http: Http, base: BaseUrl, options: AssertionOptions, runtime: R) -> Self {
        Self {
            http,
            base,
            options,
            scope: None,
            policy: RetryPolicy::default(),
            state: Mutex::new(State {
                runtime,
                cached: None,
                refresh: None,
                failure: None,
            }),
            ended: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// The same, whose tokens are of that scope (RFC 6749 section 3.3): scopes with one space between them,
    /// such as `openid`.
    #[must_use]
    pub fn with_scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope.to_owned());
        self
    }

    /// The same, which tries again as `policy` says.
    #[must_use]
    pub fn retrying(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// An access token that is good for some time yet: the one that is cached, or a new one of `client`'s. A
    /// refresh token that came with the last one is used first, once; if it is refused, an assertion alone
    /// does it.
    ///
    /// A thread that asks while another one's request is under way waits for it, and gets what comes of it.
    ///
    /// # Errors
    ///
    /// As [`AssertionSource::access_token`], after the last try; [`OAuthError::Shared`] where several threads
    /// waited for it.
    pub fn token(&self, client: &dyn AssertionSource) -> Result<Arc<AccessToken>, OAuthError> {
        self.token_until(client).map(|(token, _)| token)
    }

    /// The same, and the moment from which on it is not given any more: shortly before it expires.
    ///
    /// # Errors
    ///
    /// As [`TokenSource::token`].
    pub fn token_until(
        &self,
        client: &dyn AssertionSource,
    ) -> Result<(Arc<AccessToken>, UnixTime), OAuthError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let token = self.cached_or_new(client);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        token
    }

    /// The token that is cached, if it is good for some time yet and no request is under way. It never waits.
    pub fn cached(&self) -> Option<Arc<AccessToken>> {
        let mut state = self.state.try_lock().ok()?;
        let now = state.runtime.now().ok()?;
        let cached = state.cached.as_ref();
        cached
            .filter(|cached| cached.is_good_at(now))
            .map(|cached| Arc::clone(&cached.token))
    }

    /// Forgets the token: for one that a resource server refused before it expired. A refresh token is
    /// forgotten with it.
    pub fn forget(&self) {
        let mut state = self.state();
        state.cached = None;
        state.refresh = None;
    }

    fn cached_or_new(
        &self,
        client: &dyn AssertionSource,
    ) -> Result<(Arc<AccessToken>, UnixTime), OAuthError> {
        let ended = self.ended.load(Ordering::SeqCst);
        let mut state = self.state();
        let now = state.runtime.now()?;
        if let Some(cached) = state.cached.take().filter(|cached| cached.is_good_at(now)) {
            return Ok(state.cached.insert(cached).shared());
        }
        if let (true, Some(error)) = (self.ended.load(Ordering::SeqCst) != ended, &state.failure) {
            return Err(OAuthError::Shared(Arc::clone(error)));
        }
        let outcome = self.new_token(&mut state, client);
        self.ended.fetch_add(1, Ordering::SeqCst);
        state.failure = None;
        match outcome {
            Ok(cached) => Ok(state.cached.insert(cached).shared()),
            // Others wait for this.
            Err(error) if self.waiting.load(Ordering::SeqCst) > 1 => {
                let error = state.failure.insert(Arc::new(error));
                Err(OAuthError::Shared(Arc::clone(error)))
            }
            Err(error) => Err(error),
        }
    }

    fn new_token(
        &self,
        state: &mut State<R>,
        client: &dyn AssertionSource,
    ) -> Result<CachedToken, OAuthError> {
        let refresh = state.refresh.take();
        let now = state.runtime.now()?;
        let usable = refresh.filter(|(_, until)| until.is_none_or(|until| now < until));
        if let Some((refresh, _)) = usable {
            match self.ask(state, client, Some(&refresh)) {
                // It was spent elsewhere, or its session ended.
                Err(OAuthError::Refused(refusal)) if refusal.status() < 429 => {}
                outcome => return outcome,
            }
        }
        self.ask(state, client, None)
    }

    fn ask(
        &self,
        state: &mut State<R>,
        client: &dyn AssertionSource,
        refresh: Option<&RefreshToken>,
    ) -> Result<CachedToken, OAuthError> {
        let (http, base, scope) = (&self.http, &self.base, self.scope.as_deref());
        let mut options = self.options.clone();
        options.jti = None;
        let (mut token, from) = retry(&self.policy, &mut state.runtime, |runtime| {
            // Counted from before the request, so that a slow answer makes no token live longer.
            let now = runtime.now()?;
            options.now = Some(now);
            let token = match (refresh, scope) {
                // Of the scope that it was given for (RFC 6749 section 6).
                (Some(refresh), _) => client.refreshed_token(http, base, &options, refresh),
                (None, Some(scope)) => client.access_token_with_scope(http, base, &options, scope),
                (None, None) => client.access_token(http, base, &options),
            };
            Ok::<_, OAuthError>((token?, now))
        })?;
        state.refresh = token.take_refresh_token().map(|refresh| {
            let until = refresh
                .expires_in()
                .map(|lifetime| good_until(from, lifetime));
            (refresh, until)
        });
        let until = kept_until(from, &token);
        let expires_in = token.expires_in();
        events::info!(server = %base, expires_in, "there is a new access token");
        let token = Arc::new(token);
        Ok(CachedToken { token, from, until })
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        lock(&self.state)
    }
}

impl CachedToken {
    fn shared(&self) -> (Arc<AccessToken>, UnixTime) {
        (Arc::clone(&self.token), self.until)
    }

    /// Not after the clock was set back: then nobody knows.
    fn is_good_at(&self, now: UnixTime) -> bool {
        self.from <= now && now < self.until
    }
}

/// Without `expires_in`, a token serves the call that asked for it and is not kept.
fn kept_until(from: UnixTime, token: &AccessToken) -> UnixTime {
    let lifetime = token.expires_in().unwrap_or_default();
    good_until(from, lifetime.min(MAX_KEPT))
}

fn good_until(from: UnixTime, lifetime: u64) -> UnixTime {
    let margin = lifetime.div_ceil(10).min(MAX_MARGIN);
    from.saturating_add(lifetime.saturating_sub(margin))
}

privyseal_core::opaque_debug! { [R] TokenSource<R>: base, options, scope; }

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    #[test]
    fn no_token_is_kept_longer_than_a_day() {
        let from = UnixTime::MAX.saturating_sub(1_000_000);
        for (expires_in, kept) in [
            ("1e30", MAX_KEPT - MAX_MARGIN),
            ("1000000000000000000000000000000", MAX_KEPT - MAX_MARGIN),
            ("86401", MAX_KEPT - MAX_MARGIN),
            ("3600", 3600 - MAX_MARGIN),
            ("null", 0),
        ] {
            let body = format!(
                "{{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":{expires_in}}}"
            );
            let token = AccessToken::from_response(Zeroizing::new(body.into_bytes())).unwrap();
            let until = kept_until(from, &token);
            assert_eq!(until.as_secs() - from.as_secs(), kept, "{expires_in}");
        }
    }
}
