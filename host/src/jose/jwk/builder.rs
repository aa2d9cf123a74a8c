//! Public keys as a JWK Set (RFC 7517): what a partner publishes, or uploads, so that its `kid` is known.

use base64ct::{Base64, Encoding as _};
use privyseal_core::kid::write_jwk;
use privyseal_core::{KeyEncryption, RsaPublicKey};
use serde_json::{Map, Value, json};

use super::{JwkError, KidChoice};
use crate::base::clock;
use crate::pki::certificates::{Certificates, ChainOptions};

/// Keys for signing and for encryption, each with its `kid`.
#[derive(Clone, Debug, Default)]
pub struct JwkSetBuilder(Vec<Map<String, Value>>);

impl JwkSetBuilder {
    /// Adds `key`: `kty`, `n` and `e`, and `kid`, `use` and `alg`; with `chain` also `x5c`, leaf first.
    ///
    /// # Errors
    ///
    /// [`JwkError::DuplicateKid`], and [`JwkError::Core`] for a `kid` or a chain that is not this key's.
    pub fn add(
        &mut self,
        key: &RsaPublicKey,
        kid: &KidChoice,
        chain: Option<&Certificates>,
    ) -> Result<(), JwkError> {
        let mut jwk = self.named(key, kid, "sig", Some("RS256"))?;
        if let Some(chain) = chain {
            jwk.insert("x5c".into(), x5c(key, chain)?);
        }
        self.0.push(jwk);
        Ok(())
    }

    /// Adds a key to which others encrypt: `use` is `enc`. Without `algorithm` it is for any that RSA keys
    /// have (RFC 7517 section 4.4: `alg` is optional).
    ///
    /// # Errors
    ///
    /// As [`JwkSetBuilder::add`].
    pub fn add_encryption(
        &mut self,
        key: &RsaPublicKey,
        kid: &KidChoice,
        algorithm: Option<KeyEncryption>,
    ) -> Result<(), JwkError> {
        let jwk = self.named(key, kid, "enc", algorithm.map(KeyEncryption::name))?;
        self.0.push(jwk);
        Ok(())
    }

    /// What every kind of key has; the `kid` must be new.
    fn named(
        &self,
        key: &RsaPublicKey,
        kid: &KidChoice,
        usage: &str,
        algorithm: Option<&str>,
    ) -> Result<Map<String, Value>, JwkError> {
        let kid = kid.text(key)?;
        let taken = |other: &Map<String, Value>| other.get("kid").is_some_and(|it| *it == *kid);
        if self.0.iter().any(taken) {
            return Err(JwkError::DuplicateKid { kid });
        }
        // `kty`, `n` and `e`, as the core writes them for a thumbprint: an object.
        let mut text = Vec::new();
        let Ok(()) = write_jwk(key, &mut text);
        let mut jwk: Map<_, _> = serde_json::from_slice(&text).unwrap_or_default();
        jwk.insert("kid".into(), kid.into());
        jwk.insert("use".into(), usage.into());
        jwk.extend(algorithm.map(|algorithm| ("alg".into(), algorithm.into())));
        Ok(jwk)
    }

    /// The set as JSON.
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.0 })
    }
}

/// Certificates in padded base64, in order; the first must be of `key` (RFC 7517 section 4.7).
fn x5c(key: &RsaPublicKey, certificates: &Certificates) -> Result<Value, JwkError> {
    let mut wanted = ChainOptions::at(clock::now()?);
    wanted.key = Some(key);
    let chain = certificates.chain_for(&wanted)?;
    if chain.leaf().and_then(|leaf| leaf.rsa_key().ok()).as_ref() != Some(key) {
        return Err(privyseal_core::Error::KeyMismatch.into());
    }
    let encoded = chain
        .certificates()
        .iter()
        .map(|one| Base64::encode_string(one.as_der()));
    Ok(encoded.collect::<Vec<_>>().into())
}
