//! The keys of an OpenID provider, kept in memory and read again as they are changed.
//!
//! A provider changes its keys without a word: a new one appears in its JWK Set, later it signs, later the
//! old one goes. So the set is read again when it is old, and when a token names a key that is not in it.
//! Anybody who sends tokens can make up key names, so that happens at most once a minute; but for tokens that the
//! provider itself gave, on a connection of ours: a key that is changed loses no login that was confirmed.

use core::time::Duration;

use privyseal_core::UnixTime;
use privyseal_core::rsa::{KeyError, VerifyingKey};

use crate::http::{Http, Response, Url};
use crate::jose::jwk::KeySet;
use crate::jose::jws::{Jws, JwsFault, VerifiedJws};
use crate::jose::{JoseError, JoseFault};
use crate::oauth::{self, OAuthError};
use crate::oidc::OidcError;

/// From this age on the set is read again when it is next used; where that fails, the old one is good on.
pub const REFRESH_AGE: Duration = Duration::from_secs(12 * 60 * 60);

/// From this age on the set is not used any more. eHealth section 5.4.1: keys are read at least daily.
pub const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// For tokens that anybody may have sent, the set is not read more often than this, whatever the outcome was.
pub const MIN_INTERVAL: Duration = Duration::from_secs(60);

/// The largest JWK Set that is read, in bytes: some sixty keys with their certificates.
pub const MAX_KEY_SET: usize = 256 * 1024;

/// The largest number of keys in it that may sign. eHealth's realms have one active key and several
/// passive ones.
pub const MAX_KEYS: usize = 64;

/// The keys behind one `jwks_uri`.
///
/// Make one for each provider and keep it. Nothing is read before the first use. Time is passed in: the
/// machine's clock ([`crate::base::clock::now`]), or a test's.
pub struct ProviderKeys {
    url: Url,
    keys: Vec<ProviderKey>,
    read_at: Option<UnixTime>,
    tried_at: Option<UnixTime>,
}

/// Who gave a token to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFrom {
    /// The provider, in a response to a request of ours: its keys are read as often as it takes, once for each token.
    Provider,
    /// Anybody, such as a caller of a service: its keys are read at most once a minute.
    Anybody,
}

/// How the set is read: at most so many bytes.
type Read = fn(&Http, &Url, usize) -> Result<Response, OAuthError>;

/// Its `kid`, and what can be verified with it.
type ProviderKey = (Option<String>, Result<VerifyingKey, KeyError>);

impl ProviderKeys {
    /// The keys that `jwks_uri` of the provider's metadata names.
    pub const fn new(jwks_uri: Url) -> Self {
        Self {
            url: jwks_uri,
            keys: Vec::new(),
            read_at: None,
            tried_at: None,
        }
    }

    /// Verifies an RS256 signature of the provider. `what` is the token's name in errors, such as
    /// `id_token`. What the claims say is for the caller to judge.
    ///
    /// # Errors
    ///
    /// [`OidcError::OAuth`] if the keys cannot be read; [`OidcError::Jose`] if the token is not one that a key of
    /// the provider signed.
    pub fn verify(
        &mut self,
        http: &Http,
        now: UnixTime,
        what: &'static str,
        token: &str,
        from: TokenFrom,
    ) -> Result<VerifiedJws, OidcError> {
        self.verify_with(now, what, token, from, |url| {
            let read: Read = match from {
                TokenFrom::Provider => oauth::get_awaited,
                TokenFrom::Anybody => oauth::get_public,
            };
            key_set(url, &read(http, url, MAX_KEY_SET)?)
        })
    }

    /// Reads the keys in that way if they are not there yet, or old: what would fail later fails now. If they were read,
    /// gives what time it is at the server, where it says so.
    pub(super) fn read_by(
        &mut self,
        read: Read,
        http: &Http,
        now: UnixTime,
    ) -> Result<Option<UnixTime>, OidcError> {
        let mut date = None;
        self.refresh(now, TokenFrom::Provider, |url| {
            let response = read(http, url, MAX_KEY_SET)?;
            date = response.date;
            key_set(url, &response)
        })?;
        Ok(date)
    }

    fn verify_with(
        &mut self,
        now: UnixTime,
        what: &'static str,
        token: &str,
        from: TokenFrom,
        mut fetch: impl FnMut(&Url) -> Result<KeySet, OAuthError>,
    ) -> Result<VerifiedJws, OidcError> {
        let refused = |error: JoseError| error.of(what);
        Jws::parse(token).map_err(refused)?;
        let is_new = self.refresh(now, from, &mut fetch)?;
        let mut verified = self.verify_now(token, now);
        if !is_new && self.may_read(now, from) {
            let fault = verified.as_ref().err().map(JoseError::fault);
            // A key that was changed has another kid, or the same one, or none.
            let is_read = match fault {
                Some(JoseFault::Jws(JwsFault::UnknownKid { .. })) => {
                    self.read(now, &mut fetch).map(|()| true)?
                }
                Some(JoseFault::Jws(JwsFault::Signature)) => self.read(now, &mut fetch).is_ok(),
                _ => false,
            };
            if is_read {
                verified = self.verify_now(token, now);
            }
        }
        Ok(verified.map_err(refused)?)
    }

    fn verify_now(&self, token: &str, now: UnixTime) -> Result<VerifiedJws, JoseError> {
        let jws = Jws::parse(token)?;
        let key = self.find(jws.header().kid(), now)?;
        jws.verify(key)
    }

    /// Makes sure that the keys are not too old. Whether it read them for that.
    fn refresh(
        &mut self,
        now: UnixTime,
        from: TokenFrom,
        fetch: impl FnMut(&Url) -> Result<KeySet, OAuthError>,
    ) -> Result<bool, OAuthError> {
        let age = self.age(now);
        if age.is_some_and(|age| age < REFRESH_AGE) {
            return Ok(false);
        }
        let still_good = age.is_some_and(|age| age < MAX_AGE);
        // Nobody waits for keys that are not needed yet.
        let from = if still_good { TokenFrom::Anybody } else { from };
        if !self.may_read(now, from) {
            return if still_good {
                Ok(false)
            } else {
                let reason = format!(
                    "the keys could not be read, and are asked for at most every {} s",
                    MIN_INTERVAL.as_secs()
                );
                Err(OAuthError::response(&self.url, reason))
            };
        }
        match self.read(now, fetch) {
            Err(_) if still_good => Ok(true),
            outcome => outcome.map(|()| true),
        }
    }

    /// How old the keys are; `None` if there are none, or if the clock was set back since.
    fn age(&self, now: UnixTime) -> Option<Duration> {
        since(self.read_at?, now)
    }

    fn may_read(&self, now: UnixTime, from: TokenFrom) -> bool {
        let pause = self.tried_at.and_then(|tried_at| since(tried_at, now));
        from == TokenFrom::Provider || pause.is_none_or(|pause| pause >= MIN_INTERVAL)
    }

    /// Reads the set, and keeps what there was if that fails.
    fn read(
        &mut self,
        now: UnixTime,
        mut fetch: impl FnMut(&Url) -> Result<KeySet, OAuthError>,
    ) -> Result<(), OAuthError> {
        self.tried_at = Some(now);
        let set = fetch(&self.url)?;
        let count = set.iter().count();
        if count > MAX_KEYS {
            let reason = format!("the key set has {count} keys, at most {MAX_KEYS} are read");
            return Err(OAuthError::response(&self.url, reason));
        }
        let usable = |key: &Result<_, _>| key.clone().and_then(VerifyingKey::new);
        let keys = set.iter();
        let keys = keys.map(|(kid, key)| (kid.map(str::to_owned), usable(key)));
        let keys: Vec<ProviderKey> = keys.collect();
        if keys.iter().all(|(_, key)| key.is_err()) {
            let why = keys.iter().find_map(|(_, key)| key.as_ref().err());
            let why = why.map_or_else(String::new, |why| format!(" that can be used ({why})"));
            let reason = format!(
                "the key set has no RSA key that signs{why}, so nothing of this provider could be believed"
            );
            return Err(OAuthError::response(&self.url, reason));
        }
        self.keys = keys;
        self.read_at = Some(now);
        Ok(())
    }

    fn find(&self, kid: Option<&str>, now: UnixTime) -> Result<&VerifyingKey, JwsFault> {
        let (kid, key) = match (kid, self.keys.as_slice()) {
            (None, [only]) => only,
            (None, keys) => return Err(JwsFault::NoKid { keys: keys.len() }),
            (Some(kid), keys) => keys
                .iter()
                .find(|(known, _)| known.as_deref() == Some(kid))
                .ok_or_else(|| JwsFault::UnknownKid {
                    kid: kid.to_owned(),
                    age: self.age(now).unwrap_or_default(),
                })?,
        };
        key.as_ref().map_err(|error| JwsFault::Key {
            kid: kid.clone(),
            error: *error,
        })
    }
}

fn key_set(url: &Url, response: &Response) -> Result<KeySet, OAuthError> {
    KeySet::from_bytes(&response.body).map_err(|error| OAuthError::response(url, error))
}

/// How long ago it was; `None` if that is still to come.
fn since(earlier: UnixTime, now: UnixTime) -> Option<Duration> {
    let seconds = now.as_secs().checked_sub(earlier.as_secs())?;
    Some(Duration::from_secs(seconds))
}

privyseal_core::opaque_debug! { [] ProviderKeys as it: url, keys = it.keys.len(), read_at; }

#[cfg(test)]
mod tests;
