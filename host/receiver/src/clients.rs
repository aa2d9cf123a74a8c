//! Clients that a provider knows by itself: their certificates, or their keys.

mod file;

use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::jose::jwk::KeySet;
use privyseal_check::KnownKey;
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
#[cfg(feature = "server")]
use privyseal_core::rsa::spki::spki_digest;
use sha2::{Digest as _, Sha256};

/// Clients by their ids, for schemes that have no registry.
#[derive(Clone, Debug, Default)]
pub struct RegisteredClients {
    clients: HashMap<String, Registered>,
}

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
        self.clients.entry(client_id.into()).or_default().add(der);
        self
    }

    /// Registers the keys of a client, in place of those that it had.
    #[must_use]
    pub fn keys(mut self, client_id: impl Into<String>, keys: KeySet) -> Self {
        self.clients.entry(client_id.into()).or_default().keys = keys;
        self
    }

    /// Whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Whether `leaf`, DER, is a certificate of the client.
    pub(crate) fn has_certificate(&self, client_id: &str, leaf: &[u8]) -> bool {
        self.end_of(client_id, &x5t_s256(leaf)).is_some()
    }

    /// Whether a key with that SHA-256 is one of the client, whenever it is valid.
    #[cfg(feature = "server")]
    pub(crate) fn has_key(&self, client_id: &str, key: &[u8; 32]) -> bool {
        let client = self.clients.get(client_id);
        let mut keys = client
            .map_or_else(Vec::new, |client| client.keys(|_| true))
            .into_iter();
        keys.any(|known| known.key.is_ok_and(|known| spki_digest(&known) == *key))
    }

    /// Up to when the client's certificate with that `x5t#S256` is valid, if it has registered one.
    pub(crate) fn end_of(&self, client_id: &str, x5t_s256: &str) -> Option<UnixTime> {
        let der = self.clients.get(client_id)?.leaves.get(x5t_s256)?;
        Some(Certificate::from_der(der).ok()?.not_after())
    }

    /// The client's keys at `now`: those of its set, and those of certificates that are valid.
    pub(crate) fn keys_at(&self, client_id: &str, now: UnixTime) -> Vec<KnownKey<'_>> {
        let is_valid = |leaf: &Certificate<'_>| leaf.not_before() <= now && now <= leaf.not_after();
        let client = self.clients.get(client_id);
        client.map_or_else(Vec::new, |client| client.keys(is_valid))
    }
}

impl Registered {
    fn add(&mut self, der: &[u8]) {
        self.leaves.insert(x5t_s256(der), der.to_vec());
    }

    /// Those of its set, and those of such certificates.
    fn keys(&self, is_such: impl Fn(&Certificate<'_>) -> bool) -> Vec<KnownKey<'_>> {
        let mut keys = self.keys.known_keys();
        keys.extend(self.leaves.iter().filter_map(|(digest, der)| {
            let leaf = Certificate::from_der(der).ok().filter(&is_such)?;
            Some(KnownKey {
                kid: None,
                x5t_s256: Some(digest),
                key: leaf.rsa_key(),
            })
        }));
        keys
    }
}

fn x5t_s256(der: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(der))
}
