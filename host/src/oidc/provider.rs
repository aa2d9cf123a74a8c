//! One OpenID provider: what it says about itself, its keys, and what it says about a token's owner.

pub(super) mod userinfo;

use core::error::Error;
use core::time::Duration;
use std::sync::Mutex;

use privyseal_core::UnixTime;
use privyseal_hsm::lock;
use serde_json::{Map, Value};

use crate::base::events;
use crate::base::runtime::Runtime;
use crate::http::{Http, MAX_CALL_RESPONSE};
use crate::jose::JoseFault;
use crate::jose::jws::{
    ClaimRules, JwsFault, VerifiedJws, judge_access_token_type, unique_members,
};
use crate::oauth;
use crate::oauth::OAuthError;
use crate::oidc::OidcError;
use crate::oidc::discovery::ProviderMetadata;
use crate::oidc::provider_keys::{ProviderKeys, TokenFrom};
#[cfg(feature = "jwe")]
use {
    crate::jose::jwe::{ContentEncryption, Recipient},
    crate::oidc::provider_keys::MAX_KEY_SET,
    privyseal_core::KeyEncryption,
};

/// Seconds by which the provider's clock may differ from this one.
pub const CLOCK_LEEWAY: u64 = 10;

/// Seconds by which this clock may be ahead of the provider's before a person is asked anything. More than that no
/// server forgives; less may be a cache's that kept the time, too.
pub(super) const MAX_AHEAD: u64 = 60;

/// Seconds between the reads of a key set that lags behind the key that signs: more than the minute that a cache may
/// show an old one.
const LAG: [u64; 7] = [1, 2, 4, 8, 16, 32, 32];

/// The provider behind one issuer. Make one, keep it and share it between threads: its keys are kept with it.
pub struct Provider {
    metadata: ProviderMetadata,
    keys: Keys,
}

enum Keys {
    /// Those behind its `jwks_uri`.
    Published(Mutex<ProviderKeys>),
    /// Those in certificates that it sends, if somebody is trusted.
    Sent(Option<Box<VerifySent>>),
}

/// The payload of a token, if it was signed with a key that the provider sends along, certified by somebody who is trusted
/// at that moment. What its claims say is not judged. The error is a clause whose subject is the token.
pub type VerifySent =
    dyn Fn(UnixTime, &str) -> Result<VerifiedJws, Box<dyn Error + Send + Sync>> + Send + Sync;

impl Provider {
    /// Reads the metadata of `issuer` (OpenID Connect Discovery). Its keys are read when they are needed.
    ///
    /// # Errors
    ///
    /// As [`ProviderMetadata::fetch`].
    pub fn discover(http: &Http, issuer: &str) -> Result<Self, OidcError> {
        ProviderMetadata::fetch(http, issuer).map(Self::new)
    }

    /// The provider that these metadata are of. Without a `jwks_uri` in them nothing that it signs is believed.
    pub fn new(metadata: ProviderMetadata) -> Self {
        let keys = metadata.jwks_uri().cloned().map(ProviderKeys::new);
        let keys = keys.map_or(Keys::Sent(None), |keys| Keys::Published(Mutex::new(keys)));
        Self { metadata, keys }
    }

    /// The same, of a provider that sends its certificates along.
    pub fn with_sent_keys(metadata: ProviderMetadata, verifier: Box<VerifySent>) -> Self {
        let keys = Keys::Sent(Some(verifier));
        Self { metadata, keys }
    }

    /// What it says about itself.
    pub const fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    /// Verifies what the provider signed ([`ProviderKeys::verify`]). Of several threads one reads the keys.
    ///
    /// # Errors
    ///
    /// As [`ProviderKeys::verify`].
    pub fn verify(
        &self,
        http: &Http,
        now: UnixTime,
        what: &'static str,
        token: &str,
        from: TokenFrom,
    ) -> Result<VerifiedJws, OidcError> {
        match &self.keys {
            Keys::Published(keys) => lock(keys).verify(http, now, what, token, from),
            Keys::Sent(Some(sent)) => {
                sent(now, token).map_err(|fault| OidcError::Signature { what, fault })
            }
            Keys::Sent(None) => Err(OidcError::NoKeys),
        }
    }

    /// The same, of what the provider has just given for a person who has confirmed, and cannot be asked again for
    /// nothing: keys that lag behind the one that signs are read again for a minute and a half, and where `waits`, also
    /// those that are out of reach. No lock is held in between.
    pub(super) fn verify_given(
        &self,
        http: &Http,
        runtime: &mut impl Runtime,
        what: &'static str,
        token: &str,
        waits: bool,
    ) -> Result<VerifiedJws, OidcError> {
        let mut lag = LAG.into_iter();
        let until = runtime.elapsed() + Duration::from_secs(LAG.iter().sum());
        loop {
            let outcome = self.verify(http, runtime.now()?, what, token, TokenFrom::Provider);
            let passes = match &outcome {
                Err(OidcError::Jose(error)) => {
                    let fault = error.fault();
                    matches!(fault, JoseFault::Jws(JwsFault::UnknownKid { .. }))
                }
                Err(OidcError::OAuth(error)) => {
                    waits && error.is_of_moment() && runtime.elapsed() < until
                }
                _ => false,
            };
            match (outcome, lag.next()) {
                (Err(error), Some(seconds)) if passes => {
                    events::warn!(%error, seconds, "the provider's keys are read again");
                    runtime.pause(Duration::from_secs(seconds));
                }
                (outcome, _) => {
                    let jws = outcome?;
                    jws.judge_type().map_err(|error| error.of(what))?;
                    return Ok(jws);
                }
            }
        }
    }

    /// Reads its keys if they are not there yet, or old: what would fail later fails now.
    ///
    /// # Errors
    ///
    /// [`OidcError::OAuth`] if the keys cannot be read.
    pub fn read_keys(&self, http: &Http, now: UnixTime) -> Result<(), OidcError> {
        match &self.keys {
            Keys::Published(keys) => lock(keys).read_by(oauth::get_awaited, http, now).map(drop),
            Keys::Sent(_) => Ok(()),
        }
    }

    /// Reads its keys before a person is asked anything, and compares the clocks by the way: this machine's assertions
    /// date back by `backdate` seconds.
    pub(super) fn prepare(
        &self,
        http: &Http,
        runtime: &mut impl Runtime,
        backdate: u64,
    ) -> Result<(), OidcError> {
        let begun = runtime.now()?;
        let there = match &self.keys {
            Keys::Published(keys) => lock(keys).read_by(oauth::get_public, http, begun)?,
            Keys::Sent(_) => self.date_and_seal(http, begun)?,
        };
        let Some(there) = there else {
            return Ok(());
        };
        let since =
            |earlier: UnixTime, later: UnixTime| later.as_secs().saturating_sub(earlier.as_secs());
        let (ahead, behind) = (since(there, begun), since(runtime.now()?, there));
        if behind <= CLOCK_LEEWAY && ahead <= MAX_AHEAD.saturating_add(backdate) {
            return Ok(());
        }
        let seconds = ahead.max(behind);
        let is_ahead = ahead > behind;
        Err(OidcError::Clock { seconds, is_ahead })
    }

    /// What time it is there. Somebody must be there, and where a party of iSHARE says what it can do, its seal must count: one
    /// that does not now will not once a person has logged in, either.
    fn date_and_seal(&self, http: &Http, now: UnixTime) -> Result<Option<UnixTime>, OidcError> {
        const NAME: &str = "capabilities_token";
        let url = self.metadata.endpoint("capabilities_endpoint");
        let url = url.unwrap_or_else(|| self.metadata.token_endpoint());
        let response = http.get_public(url, MAX_CALL_RESPONSE);
        let response = response.map_err(OAuthError::from)?;
        let said: Value = unique_members(&response.body).unwrap_or_default();
        if let Some(token) = said[NAME].as_str() {
            self.verify(http, now, NAME, token, TokenFrom::Anybody)?;
        }
        Ok(response.date)
    }

    /// The provider as somebody to whom something is encrypted: by the first key for `algorithm` that it publishes.
    ///
    /// # Errors
    ///
    /// [`OidcError::OAuth`] if its keys cannot be read, or none is for that.
    #[cfg(feature = "jwe")]
    pub fn recipient(
        &self,
        http: &Http,
        algorithm: KeyEncryption,
        content: ContentEncryption,
    ) -> Result<Recipient, OidcError> {
        let url = self.metadata.jwks_uri().ok_or(OidcError::NoKeys)?;
        let response = oauth::get_public(http, url, MAX_KEY_SET)?;
        let recipient = Recipient::of(&response.body, algorithm, content)
            .map_err(|error| OAuthError::response(url, error))?;
        let reason = format!("no key of the provider is for {}", algorithm.name());
        Ok(recipient.ok_or_else(|| OAuthError::response(url, reason))?)
    }

    /// The claims of an access token that is a JWT (eHealth section 5.7): signed by one of the provider's
    /// keys, of this issuer, not expired. For whom it is, and what it allows, is for the caller to judge;
    /// whether it was revoked, for [`crate::AssertionSource::introspect`].
    ///
    /// # Errors
    ///
    /// As [`Provider::verify`]; [`OidcError::Jose`] with the claim that breaks a rule.
    pub fn access_token_claims(
        &self,
        http: &Http,
        now: UnixTime,
        token: &str,
    ) -> Result<Map<String, Value>, OidcError> {
        const WHAT: &str = "access token";
        let rules = ClaimRules {
            issuer: self.metadata.issuer(),
            audience: None,
            now,
            leeway: CLOCK_LEEWAY,
        };
        let jws = self.verify(http, now, WHAT, token, TokenFrom::Anybody)?;
        let judged = jws.judged(&rules).and_then(|claims| {
            judge_access_token_type(&claims, jws.typ())?;
            Ok(claims)
        });
        Ok(judged.map_err(|error| error.of(WHAT))?)
    }
}

privyseal_core::opaque_debug! { [] Provider: metadata; }
