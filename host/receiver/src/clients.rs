//! Clients that a provider knows by itself: their certificates, or their keys.

mod file;

use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::jose::jwk::KeySet;
use privyseal_check::KnownKey;
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
#[cfg(feature = "server")]
use privyseal_core::rsa::VerifyingKey;
use sha2::{Digest as _, Sha256};

pub use file::ClientsFileError;

/// Clients by their ids, for schemes that have no registry.
#[derive(Clone, Debug, Default)]
pub struct RegisteredClients(HashMap<String, Registered>);

#[derive(Clone, Debug, Default)]
struct Registered {
    /// DER, by `x5t#S256`.
    leaves: HashMap<String, Vec<u8>>,
    keys: KeySet,
}

impl RegisteredClients {
    /// Registers a certificate of a client, DER. It may have several.
    #[must_use]
    pub fn certificate(mut self, client_id: impl Into<String>, der: &[u8]) -> Self {
        self.0.entry(client_id.into()).or_default().add(der);
        self
    }

    /// Registers the keys of a client, in place of those that it had.
    #[must_use]
    pub fn keys(mut self, client_id: impl Into<String>, keys: KeySet) -> Self {
        self.0.entry(client_id.into()).or_default().keys = keys;
        self
    }

    /// Whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `leaf` is a certificate of the client.
    pub(crate) fn has_certificate(&self, client_id: &str, leaf: &Certificate<'_>) -> bool {
        let client = self.0.get(client_id);
        client.is_some_and(|client| client.leaves.contains_key(&x5t_s256(leaf.as_der())))
    }

    /// Whether the client has a key with that SHA-256 at `now`.
    #[cfg(feature = "server")]
    pub(crate) fn has_key(&self, client_id: &str, digest: &[u8; 32], now: UnixTime) -> bool {
        let mut keys = self.keys_at(client_id, now).into_iter();
        keys.any(|known| {
            let key = known.key.and_then(VerifyingKey::new);
            key.is_ok_and(|key| key.spki_digest() == digest)
        })
    }

    /// Up to when the client's certificate with that `x5t#S256` is valid, if it has registered one.
    pub(crate) fn end_of(&self, client_id: &str, x5t_s256: &str) -> Option<UnixTime> {
        let der = self.0.get(client_id)?.leaves.get(x5t_s256)?;
        Some(Certificate::from_der(der).ok()?.not_after())
    }

    /// The client's keys at `now`: those of its set, and those of certificates that are valid.
    pub(crate) fn keys_at(&self, client_id: &str, now: UnixTime) -> Vec<KnownKey<'_>> {
        let Some(client) = self.0.get(client_id) else {
            return Vec::new();
        };
        let mut keys = client.keys.known_keys();
        keys.extend(client.leaves.iter().filter_map(|(digest, der)| {
            let leaf = Certificate::from_der(der).ok()?;
            let is_valid = leaf.not_before() <= now && now <= leaf.not_after();
            is_valid.then(|| KnownKey {
                kid: None,
                x5t_s256: Some(digest),
                key: leaf.rsa_key(),
            })
        }));
        keys
    }
}

impl Registered {
    fn add(&mut self, der: &[u8]) {
        self.leaves.insert(x5t_s256(der), der.to_vec());
    }
}

fn x5t_s256(der: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(der))
}
