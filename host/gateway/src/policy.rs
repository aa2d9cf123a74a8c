//! The policy file: what a gateway may sign, written by a person, in TOML.
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
//! ```
//!
//! `time-floor` (seconds since the epoch) is the time of provisioning unless it is given; `authority` names
//! a file, beside the policy, with the public key of the provisioning authority (PEM or DER, RSA-2048 or
//! RSA-3072); `presence` is the number of seconds within which the button must be pressed for each
//! assertion. `client-id` may be left out where the leaf certificate says it. A member that is not known
//! is an error: a policy that is not understood whole is not one.

mod members;
mod read;
pub(super) mod show;

use core::fmt;
use std::fs;
use std::path::Path;

use privyseal_core::cert::Chain;
use privyseal_core::{RsaPublicKey, UnixTime};
use privyseal_protocol::policy::{MAX_AUDIENCES, MAX_SCHEMES};
use privyseal_protocol::{AllowedAudience, MAX_POLICY, Policy, Rate, SchemeId, SchemePolicy};

use crate::error::Error;
use crate::jose::kid_form::KidChoice;
use crate::pki::party_id;

/// The largest policy file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// What a gateway may sign, before key and chain are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPolicy {
    /// The schemes, at least one, each once.
    pub schemes: Vec<SchemeEntry>,
    /// The longest `exp - iat`, in seconds.
    pub max_lifetime: u32,
    /// The rate limit.
    pub rate: Rate,
    /// No assertion is made for an earlier time, in seconds since the epoch; without it, the time of
    /// provisioning.
    pub time_floor: Option<u64>,
    /// Seconds by which the host's clock may be ahead of the device's.
    pub max_jump: u32,
    /// The provisioning authority's SubjectPublicKeyInfo, DER.
    pub authority: Option<Vec<u8>>,
    /// Seconds within which the button must be pressed for each assertion.
    pub presence: Option<u8>,
    /// Whether the board's own random generator must take part.
    pub board_entropy: bool,
}

/// One scheme, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeEntry {
    /// The scheme.
    pub scheme: SchemeId,
    /// `iss` and `sub`; without it what the leaf certificate says, where the scheme derives it.
    pub client_id: Option<String>,
    /// The `kid`, for schemes that have one.
    pub kid: Option<KidChoice>,
    /// The audiences, at least one.
    pub audiences: Vec<String>,
}

/// What is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// Which member, with those that it stands in: `schemes.fiam.client-id`.
    pub member: String,
    /// What is there, as a clause: `is an integer`.
    pub found: String,
    /// What must be there, and why.
    pub rule: String,
}

impl GatewayPolicy {
    /// Reads a policy file.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let content = crate::pki::certificates::read_file(path, MAX_FILE)?;
        let unusable = |reason: String| Error::FileContent {
            path: path.to_owned(),
            reason,
        };
        let text = String::from_utf8(content)
            .map_err(|_| unusable("is not UTF-8, so it is no TOML".to_owned()))?;
        Self::from_toml(&text, |name| {
            let directory = path.parent().unwrap_or(Path::new(""));
            fs::read(directory.join(name)).map_err(|error| error.to_string())
        })
        .map_err(|fault| unusable(format!("is no policy: {fault}")))
    }

    /// Reads the text of a policy file; `file` gives the content of a file that it names.
    pub fn from_toml(
        text: &str,
        file: impl Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Self, PolicyFault> {
        read::policy(text, &file)
    }

    /// Whether a scheme's header carries the certificate chain.
    pub fn needs_chain(&self) -> bool {
        self.schemes.iter().any(SchemeEntry::needs_chain)
    }

    /// The policy as the device takes it, for this key and chain, checked by the core's rules.
    pub fn encode(
        &self,
        key: &RsaPublicKey,
        chain: Option<&Chain<'_>>,
        now: UnixTime,
    ) -> Result<Vec<u8>, Error> {
        let named = self
            .schemes
            .iter()
            .map(|entry| entry.name(key, chain))
            .collect::<Result<Vec<_>, _>>()?;
        let audiences = self.schemes.iter().flat_map(|entry| {
            entry.audiences.iter().map(|audience| AllowedAudience {
                scheme: entry.scheme,
                audience,
            })
        });
        let count = audiences.clone().count();
        if count > MAX_AUDIENCES || named.len() > MAX_SCHEMES {
            return Err(unfit(format!(
                "has {count} audiences; a device takes {MAX_AUDIENCES} at most"
            )));
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
            time_floor: self.time_floor.unwrap_or(now.as_secs()),
            max_jump: self.max_jump,
            authority: self.authority.as_deref(),
            presence: self.presence,
            board_entropy: self.board_entropy,
        };
        policy.check().map_err(|error| unfit(error.to_string()))?;
        let mut buffer = vec![0; MAX_POLICY];
        match policy.to_bytes(&mut buffer) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Err(unfit(format!(
                "is too long: a device takes {MAX_POLICY} bytes of policy"
            ))),
        }
    }
}

impl SchemeEntry {
    fn needs_chain(&self) -> bool {
        use privyseal_core::scheme::KeyReference;
        self.scheme.rules().key_reference.value == KeyReference::X5cWithRoot
    }

    /// Client id and `kid`, now that the key is known.
    fn name(
        &self,
        key: &RsaPublicKey,
        chain: Option<&Chain<'_>>,
    ) -> Result<(SchemeId, String, Option<String>), Error> {
        let rules = self.scheme.rules();
        let client_id = match (&self.client_id, chain) {
            (Some(given), _) => given.clone(),
            (None, Some(chain)) => party_id::derived(rules, chain)?.as_str().to_owned(),
            (None, None) => return Err(party_id::not_derived(rules)),
        };
        let kid = self.kid.as_ref().map(|kid| kid.text(key)).transpose()?;
        Ok((self.scheme, client_id, kid))
    }
}

fn unfit(reason: String) -> Error {
    Error::Option {
        option: "--policy",
        reason,
    }
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; {}", self.member, self.found, self.rule)
    }
}

impl core::error::Error for PolicyFault {}

#[cfg(test)]
mod tests;
