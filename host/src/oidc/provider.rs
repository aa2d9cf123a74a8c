//! One OpenID provider: what it says about itself, its keys, and what it says about a token's owner.

pub(super) mod userinfo;

use std::sync::{Mutex, PoisonError};

use privyseal_core::UnixTime;
use serde_json::{Map, Value};

use crate::http::Http;
use crate::jose::jws::{ClaimRules, Jws, VerifiedJws};
use crate::oidc::OidcError;
use crate::oidc::discovery::ProviderMetadata;
use crate::oidc::provider_keys::ProviderKeys;
#[cfg(feature = "ciba")]
use {
    crate::jose::jwe::{ContentEncryption, Recipient},
    crate::jose::jwk::KeySet,
    crate::oauth::{self, OAuthError},
    crate::oidc::provider_keys::MAX_KEY_SET,
    privyseal_core::KeyEncryption,
};

pub use userinfo::UserInfo;

/// Seconds by which the provider's clock may differ from this one.
pub const CLOCK_LEEWAY: u64 = 10;

/// The provider behind one issuer. Make one, keep it and share it between threads: its keys are kept with it.
#[derive(Debug)]
pub struct Provider {
    metadata: ProviderMetadata,
    keys: Mutex<ProviderKeys>,
}

impl Provider {
    /// Reads the metadata of `issuer` (OpenID Connect Discovery). Its keys are read when they are needed.
    ///
    /// # Errors
    ///
    /// As [`ProviderMetadata::fetch`].
    pub fn discover(http: &Http, issuer: &str) -> Result<Self, OidcError> {
        ProviderMetadata::fetch(http, issuer).map(Self::new)
    }

    /// The provider that these metadata are of.
    pub fn new(metadata: ProviderMetadata) -> Self {
        let keys = Mutex::new(ProviderKeys::new(metadata.jwks_uri().clone()));
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
    ) -> Result<VerifiedJws, OidcError> {
        let keys = self.keys.lock();
        keys.unwrap_or_else(PoisonError::into_inner)
            .verify(http, now, what, token)
    }

    /// Reads its keys if they are not there yet ([`ProviderKeys::read_ahead`]).
    ///
    /// # Errors
    ///
    /// As [`ProviderKeys::read_ahead`].
    pub fn read_keys(&self, http: &Http, now: UnixTime) -> Result<(), OidcError> {
        let keys = self.keys.lock();
        keys.unwrap_or_else(PoisonError::into_inner)
            .read_ahead(http, now)
    }

    /// The provider as somebody to whom something is encrypted: by the first key for `algorithm` that it publishes.
    ///
    /// # Errors
    ///
    /// [`OidcError::OAuth`] if its keys cannot be read, or none is for that.
    #[cfg(feature = "ciba")]
    pub fn recipient(
        &self,
        http: &Http,
        algorithm: KeyEncryption,
        content: ContentEncryption,
    ) -> Result<Recipient, OidcError> {
        let url = self.metadata.jwks_uri();
        let response = oauth::get_public(http, url, MAX_KEY_SET)?;
        let keys = KeySet::for_encryption(&response.body)
            .map_err(|error| OAuthError::response(url, error))?;
        let recipient = Recipient::of(&keys, algorithm, content).ok_or_else(|| {
            let reason = format!("no key of the provider is for {}", algorithm.name());
            OAuthError::response(url, reason)
        });
        Ok(recipient?)
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
        let typ = Jws::parse(token)
            .ok()
            .and_then(|jws| jws.typ().map(str::to_owned));
        let jws = self.verify(http, now, WHAT, token)?;
        let claims = jws.judged_access_token(typ.as_deref(), &rules);
        Ok(claims.map_err(|error| error.of(WHAT))?)
    }
}
