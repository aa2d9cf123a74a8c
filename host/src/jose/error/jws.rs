//! What is wrong with a JWS. Never what its payload says.

use core::time::Duration;

use privyseal_core::rsa::KeyError;

use crate::base::display::sanitize_for_display;

/// The largest JWS of a provider that is read, in bytes: room for a person's picture, encoded twice.
pub const MAX_PROVIDER_JWS: usize = 192 * 1024;

/// What is wrong with a JWS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsFault {
    /// Not a compact JWS; what it has or lacks.
    #[error("{0} (RFC 7515 section 7.1)")]
    Form(&'static str),
    /// A JWE, where a JWS is read.
    #[error("is encrypted, and what is read here is signed and nothing else")]
    Encrypted,
    /// Longer than [`MAX_PROVIDER_JWS`](crate::jose::jws::MAX_PROVIDER_JWS).
    #[error("has {len} bytes, at most {MAX_PROVIDER_JWS} are read")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Signed with an algorithm that is not accepted, or with none.
    #[error(
        "is signed with {found}; only {} is accepted (RFC 8725 section 3.1)",
        accepted.join(" or ")
    )]
    Algorithm {
        /// Its `alg`.
        found: String,
        /// Those that are accepted.
        accepted: Vec<&'static str>,
    },
    /// Its header has extensions that must be understood (RFC 7515 section 4.1.11).
    #[error("has a header with crit, extensions that must be understood (RFC 7515 section 4.1.11)")]
    Critical,
    /// It does not carry its certificates.
    #[error(
        "has no x5c that is an array of one to six certificates in base64 (RFC 7515 section 4.1.6)"
    )]
    X5c,
    /// No key of this name is in the provider's key set.
    #[error(
        "is signed with the key {}, which is not in the provider's key set, read {} s ago",
        sanitize_for_display(kid, None),
        age.as_secs()
    )]
    UnknownKid {
        /// The name.
        kid: String,
        /// How long ago the key set was read.
        age: Duration,
    },
    /// It names no key, and the provider has this many (OpenID Connect Core section 10.1: then a `kid` is
    /// required).
    #[error(
        "names no key (kid), and the provider's key set has {keys} (OpenID Connect Core section \
         10.1)"
    )]
    NoKid {
        /// How many keys there are.
        keys: usize,
    },
    /// The key of this name cannot be used.
    #[error(
        "is signed with the key {}, which {error}",
        sanitize_for_display(kid.as_deref().unwrap_or("without a name"), None)
    )]
    Key {
        /// The name.
        kid: Option<String>,
        /// Why not.
        error: KeyError,
    },
    /// The signature is not that of these bytes by this key.
    #[error("has a signature that is not valid: it was changed, or signed with another key")]
    Signature,
    /// The payload is not a JSON object, or has a member twice.
    #[error(
        "has a payload that is not a JSON object whose members are there once (RFC 7519 sections 4 and 7.2)"
    )]
    Claims,
    /// A claim does not say what it must.
    #[error("is not good here: {name} {what}")]
    Claim {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

impl JwsFault {
    /// Leaves `secret` out: for the response of a server that was sent it.
    pub(super) fn leave_out(&mut self, secret: &str) {
        if let Self::Algorithm { found: text, .. }
        | Self::UnknownKid { kid: text, .. }
        | Self::Key {
            kid: Some(text), ..
        }
        | Self::Claim { what: text, .. } = self
        {
            *text = sanitize_for_display(text, Some(secret));
        }
    }
}
