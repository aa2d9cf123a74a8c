//! The JWK Set that a client publishes for its provider, as the provider sees it.

use privyseal_core::cert::CertificateError;
use serde_json::Value;

use crate::http::{Http, Url};
use crate::jose::jwk::{KeySet, KeySetError};
use crate::oauth::{self, OAuthError};
use crate::oidc::provider_keys::MAX_KEY_SET;
use crate::pki::validation::IdentityValidation;

/// What stands behind a `jwks_uri`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PublishedKeys {
    /// The keys, as they stand there.
    pub keys: Vec<Value>,
    /// For how many seconds it may be kept, where it says so (`max-age`, RFC 9111 section 5.2.2.1).
    pub max_age: Option<u64>,
    /// The media type.
    pub media_type: Option<String>,
    /// What the server's certificate says of who runs it; an error if it cannot be read, nothing if a proxy hides it.
    pub validation: Option<Result<Option<IdentityValidation>, CertificateError>>,
}

impl PublishedKeys {
    /// Reads the set, and looks at the server's certificate.
    ///
    /// # Errors
    ///
    /// [`OAuthError`]: the server does not answer, refuses, or what it has is no set of public keys.
    pub fn fetch(http: &Http, url: &Url) -> Result<Self, OAuthError> {
        let response = oauth::get_public(http, url, MAX_KEY_SET)?;
        let unusable = |error: KeySetError| OAuthError::response(url, error);
        KeySet::from_bytes(&response.body).map_err(unusable)?;
        let mut set = KeySet::json(&response.body).map_err(unusable)?;
        let Value::Array(keys) = set["keys"].take() else {
            let reason = "the answer is no JWK Set (RFC 7517 section 5)";
            return Err(OAuthError::response(url, reason));
        };
        let certificate = http.server_certificate(url)?;
        Ok(Self {
            keys,
            max_age: response.max_age,
            media_type: response.media_type.clone(),
            validation: certificate.map(|der| IdentityValidation::of(&der)),
        })
    }
}
