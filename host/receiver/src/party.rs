//! Who it was: what exists only after every check.

use privyseal_core::UnixTime;
use serde_json::{Map, Value};

/// The party that an assertion proved to be there. Only [`crate::Receiver::accept`] makes one.
#[derive(Clone, PartialEq)]
pub struct VerifiedParty {
    pub(crate) id: String,
    pub(crate) jti: String,
    pub(crate) exp: UnixTime,
    pub(crate) claims: Map<String, Value>,
    pub(crate) leaf: Option<Vec<u8>>,
    pub(crate) key: [u8; 32],
    pub(crate) record: Option<Value>,
}

impl VerifiedParty {
    /// The client id, or party id: `iss` and `sub`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The assertion's `jti`, which is not accepted again.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// When the assertion expires.
    pub const fn exp(&self) -> UnixTime {
        self.exp
    }

    /// Every claim of the assertion.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The certificate whose key signed, DER; `None` for schemes that name keys by `kid`.
    pub fn leaf(&self) -> Option<&[u8]> {
        self.leaf.as_deref()
    }

    /// The SHA-256 of the key that signed, as a SubjectPublicKeyInfo.
    pub const fn key_digest(&self) -> &[u8; 32] {
        &self.key
    }

    /// What the scheme's registry says about the party, as it wrote it; `None` for schemes without one.
    pub const fn record(&self) -> Option<&Value> {
        self.record.as_ref()
    }

    /// The names of the roles that the registry lists (`ServiceConsumer` and the like), whatever dates stand beside them.
    pub fn roles(&self) -> Vec<&str> {
        let roles = self.record.as_ref().and_then(|record| record.get("roles"));
        let roles = roles.and_then(Value::as_array).into_iter().flatten();
        roles
            .filter_map(|role| role.get("role").and_then(Value::as_str))
            .collect()
    }
}

// Without the claims: an application may have put anything there.
privyseal_core::opaque_debug! { [] VerifiedParty: id, jti, exp; }
