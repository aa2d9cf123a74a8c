//! Clients that a provider knows by itself: their certificates, or their keys.

use std::collections::{HashMap, HashSet};

use privyseal::jose::jwk::KeySet;
use privyseal_core::cert::Certificate;
use sha2::{Digest as _, Sha256};

/// Clients by their ids, for schemes that have no registry.
#[derive(Clone, Debug, Default)]
pub struct RegisteredClients(HashMap<String, Registered>);

#[derive(Clone, Debug, Default)]
struct Registered {
    leaves: HashSet<[u8; 32]>,
    keys: KeySet,
}

impl RegisteredClients {
    /// Registers a certificate of a client, DER. It may have several.
    #[must_use]
    pub fn certificate(mut self, client_id: impl Into<String>, der: &[u8]) -> Self {
        let client = self.0.entry(client_id.into()).or_default();
        client.leaves.insert(Sha256::digest(der).into());
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
        let digest: [u8; 32] = Sha256::digest(leaf.as_der()).into();
        let client = self.0.get(client_id);
        client.is_some_and(|client| client.leaves.contains(&digest))
    }

    pub(crate) fn key_set(&self, client_id: &str) -> Option<&KeySet> {
        self.0.get(client_id).map(|client| &client.keys)
    }
}
