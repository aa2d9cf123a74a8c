//! The policy file: what a gateway may do with its key, written by a person, in TOML.
//!
//! ```toml
//! max-lifetime = 60      # seconds: the longest exp - iat
//! max-jump = 604800      # seconds that the host's clock may be ahead of the device's
//! board-entropy = false  # whether the board's own random generator must take part
//! # time-floor, authority, presence: see below
//!
//! [rate]                 # so many at once, then one each seconds / assertions
//! assertions = 60
//! seconds = 60
//!
//! [schemes.fiam]
//! client-id = "EU.EORI.NL123456789"
//! audiences = ["EU.EORI.NLKPNFIAMPROD"]
//!
//! [schemes.itsme]
//! client-id = "partner-code"
//! kid = "2026-1"         # or kid-form = "rfc7638"
//! audiences = ["https://idp.prd.itsme.services/v2/token"]
//! authentication-requests = ["https://idp.prd.itsme.services/v2"]
//! ```
//!
//! With `content-keys = true` in place of schemes, `max-lifetime` and `max-jump` the key unwraps content keys, and signs
//! nothing.
//!
//! Any other name than a known scheme's is one of a user's own: `key` says how its header names the key (`kid`, `x5c`,
//! `x5t#S256`), and `nbf` is `iat` where there is one.
//!
//! `time-floor` (seconds since the epoch) is the time of provisioning unless it is given, and holds unless the authority
//! lowers it; `authority` names a file, beside the policy, with the public key of the provisioning authority (PEM or DER, RSA-2048 or
//! RSA-3072); `presence` is the number of seconds within which the button must be pressed for each
//! assertion; `authentication-requests` and `authorization-requests` are the audiences that such signed requests may be
//! for, none unless they are given; `unlock` says whether no key is taken but one that is kept under an unlock secret, and is `false` unless
//! it is given. `client-id` may be left out where the leaf certificate says it. A member that is not known
//! is an error: a policy that is not understood whole is not one.

mod read;
pub(crate) mod show;

use privyseal_core::cert::Chain;
use privyseal_core::kid::KidForm;
use privyseal_core::scheme::KeyReference;
use privyseal_core::{RsaPublicKey, UnixTime};
use privyseal_protocol::policy::MAX_AUDIENCES;
use privyseal_protocol::{
    AllowedAudience, MAX_POLICY, Policy, Rate, SchemeId, SchemePolicy, Statement,
};
use thiserror::Error;

use crate::error::PackageError;

/// Seconds by which a policy's time floor may be ahead of the clock of the machine that provisions: a day.
const MAX_FLOOR_AHEAD: u64 = 86_400;

/// What a gateway may do with its key, before that and the chain are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPolicy {
    /// Each once; none where the key unwraps content keys.
    schemes: Vec<SchemeEntry>,
    max_lifetime: u32,
    rate: Rate,
    time_floor: Option<u64>,
    max_jump: u32,
    /// A SubjectPublicKeyInfo, DER.
    authority: Option<Vec<u8>>,
    presence: Option<u8>,
    board_entropy: bool,
    unlock: bool,
}

/// One scheme, and as which client.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SchemeEntry {
    scheme: SchemeId,
    /// Without it, what the leaf certificate says.
    client_id: Option<String>,
    /// For schemes that have one.
    kid: Option<KidChoice>,
    /// What for which; at least one.
    audiences: Vec<(Statement, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum KidChoice {
    Given(String),
    Computed(KidForm),
}

/// What is wrong with a policy file: the line, and which member is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct PolicyFileError {
    line: usize,
    problem: String,
}

impl GatewayPolicy {
    /// Reads the text of a policy file; `file` gives the content of a file that it names, or says in a
    /// sentence why not.
    ///
    /// # Errors
    /// [`PolicyFileError`] for the first thing that is wrong.
    pub fn from_toml(
        text: &str,
        file: impl Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Self, PolicyFileError> {
        read::policy(text, file)
    }

    /// Whether no key is taken but one that is kept under an unlock secret.
    pub const fn needs_unlock_secret(&self) -> bool {
        self.unlock
    }

    /// Whether a scheme's header names the key by its certificate.
    pub fn needs_chain(&self) -> bool {
        let schemes = self.schemes.iter().map(|entry| entry.scheme.rules());
        schemes
            .map(|rules| rules.key_reference().value())
            .any(|value| value != KeyReference::Kid)
    }

    /// The policy as the device takes it, for this key and chain, checked by the core's rules.
    pub(crate) fn encode(
        &self,
        key: &RsaPublicKey,
        chain: Option<&Chain<'_>>,
        now: UnixTime,
    ) -> Result<Vec<u8>, PackageError> {
        let named = self.schemes.iter().map(|entry| entry.name(key, chain));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        let audiences = self.schemes.iter().flat_map(|entry| {
            let audiences = entry.audiences.iter();
            audiences.map(|(statement, audience)| AllowedAudience {
                scheme: entry.scheme,
                audience,
                statement: *statement,
            })
        });
        let count = audiences.clone().count();
        if count > MAX_AUDIENCES {
            return Err(PackageError::Audiences { count });
        }
        let time_floor = self.time_floor.unwrap_or(now.as_secs());
        if time_floor > now.as_secs().saturating_add(MAX_FLOOR_AHEAD) {
            return Err(PackageError::TimeFloor {
                floor: time_floor,
                now: now.as_secs(),
            });
        }
        let policy = Policy {
            schemes: named
                .iter()
                .map(|(scheme, client_id, kid)| SchemePolicy {
                    scheme: *scheme,
                    client_id,
                    kid: kid.as_deref(),
                })
                .collect(),
            audiences: audiences.collect(),
            max_lifetime: self.max_lifetime,
            rate: self.rate,
            time_floor,
            max_jump: self.max_jump,
            authority: self.authority.as_deref(),
            presence: self.presence,
            board_entropy: self.board_entropy,
            unlock: self.unlock,
        };
        policy.check()?;
        let mut buffer = vec![0; MAX_POLICY];
        let bytes = policy.to_bytes(&mut buffer);
        bytes.map(<[u8]>::to_vec).ok_or(PackageError::PolicyTooLong)
    }
}

impl SchemeEntry {
    /// Client id and `kid`, now that the key is known.
    fn name(
        &self,
        key: &RsaPublicKey,
        chain: Option<&Chain<'_>>,
    ) -> Result<(SchemeId, String, Option<String>), PackageError> {
        let rules = self.scheme.rules();
        let client_id = match &self.client_id {
            Some(given) => given.clone(),
            None => chain
                .and_then(Chain::leaf)
                .and_then(|leaf| rules.client_id_of_leaf(leaf))
                .ok_or(PackageError::ClientId {
                    scheme: rules.name(),
                })?
                .as_str()
                .to_owned(),
        };
        let kid = self.kid.as_ref().map(|kid| match kid {
            KidChoice::Given(text) => text.clone(),
            KidChoice::Computed(form) => form.of(key).as_kid().as_str().to_owned(),
        });
        Ok((self.scheme, client_id, kid))
    }
}

#[cfg(test)]
mod tests;
