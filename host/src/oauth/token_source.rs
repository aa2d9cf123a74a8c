//! Access tokens of one server, asked for when they are needed and kept in memory until shortly before they
//! expire.

use core::fmt;

use privyseal_core::UnixTime;

use crate::base::runtime::{Runtime, SystemRuntime};
use crate::error::Error;
use crate::http::{BaseUrl, Http};
use crate::oauth::access_token::{AccessToken, RefreshToken};
use crate::oauth::client::{AssertionOptions, AssertionSource};
use crate::oauth::retry::{RetryPolicy, retrying};

/// The most seconds before its expiry at which a token is not used any more: time for the call that is made
/// with it. Of a short-lived token it is a tenth of its life.
pub const MAX_MARGIN: u64 = 30;

/// The tokens of one server, for one client.
///
/// Make one for each server and keep it. The key is not in it: one client (a [`crate::Client`] or a
/// [`privyseal_gateway::DeviceClient`]) serves any number of sources.
/// Nothing is ever written to a disk.
pub struct TokenSource<P = SystemRuntime> {
    http: Http,
    base: BaseUrl,
    options: AssertionOptions,
    scope: Option<String>,
    policy: RetryPolicy,
    runtime: P,
    held: Option<Held>,
    refresh: Option<(RefreshToken, Option<UnixTime>)>,
}

struct Held {
    token: AccessToken,
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

impl<P: Runtime> TokenSource<P> {
    /// The same, with time and chance from elsewhere.
    pub fn with_runtime(http: Http, base: BaseUrl, options: AssertionOptions, runtime: P) -> Self {
        Self {
            http,
            base,
            options,
            scope: None,
            policy: RetryPolicy::default(),
            runtime,
            held: None,
            refresh: None,
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

    /// An access token that is good for some time yet: the one that is held, or a new one of `client`'s. A
    /// refresh token that came with the last one is used first, once; if it is refused, an assertion alone
    /// does it.
    pub fn token<A>(&mut self, client: &A) -> Result<&AccessToken, Error>
    where
        A: AssertionSource + ?Sized,
    {
        let now = self.runtime.now()?;
        let fresh = self.held.take().filter(|held| held.is_good_at(now));
        let held = match fresh {
            Some(held) => held,
            None => self.new_token(client)?,
        };
        Ok(&self.held.insert(held).token)
    }

    /// Forgets the token: for one that a resource server refused before it expired. A refresh token is
    /// forgotten with it.
    pub fn forget(&mut self) {
        self.held = None;
        self.refresh = None;
    }

    fn new_token<A>(&mut self, client: &A) -> Result<Held, Error>
    where
        A: AssertionSource + ?Sized,
    {
        let refresh = self.refresh.take();
        let now = self.runtime.now()?;
        let usable = refresh.filter(|(_, until)| until.is_none_or(|until| now < until));
        if let Some((refresh, _)) = usable {
            match self.ask(client, Some(&refresh)) {
                // It was spent elsewhere, or its session ended.
                Err(Error::Refused(refusal)) if refusal.status() < 429 => {}
                outcome => return outcome,
            }
        }
        self.ask(client, None)
    }

    fn ask<A>(&mut self, client: &A, refresh: Option<&RefreshToken>) -> Result<Held, Error>
    where
        A: AssertionSource + ?Sized,
    {
        let (http, base, scope) = (&self.http, &self.base, self.scope.as_deref());
        let mut options = self.options.clone();
        options.jti = None;
        let (mut token, from) = retrying(&self.policy, &mut self.runtime, |runtime| {
            // Counted from before the request, so that a slow answer makes no token live longer.
            let now = runtime.now()?;
            options.now = Some(now);
            let token = match (refresh, scope) {
                // Of the scope that it was given for (RFC 6749 section 6).
                (Some(refresh), _) => client.refreshed_token(http, base, &options, refresh),
                (None, Some(scope)) => client.access_token_with_scope(http, base, &options, scope),
                (None, None) => client.access_token(http, base, &options),
            };
            Ok((token?, now))
        })?;
        self.refresh = token.take_refresh_token().map(|refresh| {
            let until = refresh
                .expires_in()
                .map(|lifetime| good_until(from, lifetime));
            (refresh, until)
        });
        // Without a word on its life, a token is good for the one call that it was asked for.
        let until = token
            .expires_in()
            .map_or(from, |lifetime| good_until(from, lifetime));
        Ok(Held { token, from, until })
    }
}

impl Held {
    /// Not after the clock was set back: then nobody knows.
    fn is_good_at(&self, now: UnixTime) -> bool {
        self.from <= now && now < self.until
    }
}

fn good_until(from: UnixTime, lifetime: u64) -> UnixTime {
    let margin = lifetime.div_ceil(10).min(MAX_MARGIN);
    from.saturating_add(lifetime.saturating_sub(margin))
}

impl<P> fmt::Debug for TokenSource<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("base", &self.base)
            .field("options", &self.options)
            .field("scope", &self.scope)
            .field("holds_token", &self.held.is_some())
            .finish_non_exhaustive()
    }
}
