//! A JWS that somebody else signed: an id_token, an access token, a signed answer.
//!
//! Its payload can be had in one way only: by verifying its signature with a key that was chosen before
//! (RFC 8725 section 3.1: the algorithm is the verifier's choice, not the token's).

mod claims;

use core::fmt;
use core::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::{KeyError, VerifyingKey};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base::server_text::presentable;

pub use claims::ClaimRules;

/// The largest JWS of a provider that is read, in bytes: as large as a token response may be.
pub const MAX_PROVIDER_JWS: usize = privyseal_core::limits::MAX_TOKEN_RESPONSE;

/// A compact JWS (RFC 7515 section 7.1) whose signature is not verified yet.
pub struct Jws<'t> {
    algorithm: String,
    kid: Option<String>,
    signing_input: &'t str,
    payload: Zeroizing<Vec<u8>>,
    signature: Vec<u8>,
}

/// The payload of a JWS whose signature is valid. What its claims say is still to be judged.
///
/// `Debug` does not show it: it is about a person, mostly.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedJws {
    payload: Zeroizing<Vec<u8>>,
}

/// Why a JWS is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwsError {
    /// Not a compact JWS; what it has or lacks.
    Form(&'static str),
    /// Longer than [`MAX_PROVIDER_JWS`].
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Signed with another algorithm than RS256, or with none.
    Algorithm(String),
    /// Its header has extensions that must be understood (RFC 7515 section 4.1.11).
    Critical,
    /// No key of this name is in the provider's key set.
    UnknownKid {
        /// The name.
        kid: String,
        /// How long ago the key set was read.
        age: Duration,
    },
    /// It names no key, and the provider has this many (OpenID Connect Core section 10.1: then a `kid` is
    /// required).
    NoKid {
        /// How many keys there are.
        keys: usize,
    },
    /// The key of this name cannot be used.
    Key {
        /// The name.
        kid: Option<String>,
        /// Why not.
        error: KeyError,
    },
    /// The signature is not that of these bytes by this key.
    Signature,
    /// The payload is not a JSON object (RFC 7519 section 7.2).
    Claims,
    /// A claim does not say what it must.
    Claim {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

impl<'t> Jws<'t> {
    /// Takes a JWS apart. Only RS256 gets through.
    pub fn parse(text: &'t str) -> Result<Self, JwsError> {
        let len = text.len();
        if len > MAX_PROVIDER_JWS {
            return Err(JwsError::TooLong { len });
        }
        let parts = "has not three parts with dots between them";
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JwsError::Form(parts))?;
        let (header, payload) = signing_input
            .split_once('.')
            .filter(|(_, payload)| !payload.contains('.'))
            .ok_or(JwsError::Form(parts))?;
        let decode =
            |part, what| Base64UrlUnpadded::decode_vec(part).map_err(|_| JwsError::Form(what));
        let header = decode(header, "has a header that is not base64url")?;
        let header: Map<String, Value> = serde_json::from_slice(&header)
            .map_err(|_| JwsError::Form("has a header that is not a JSON object"))?;
        let text = |name| header.get(name).and_then(Value::as_str);
        let algorithm = text("alg").ok_or(JwsError::Form("names no algorithm"))?;
        if algorithm != Algorithm::Rs256.name() {
            return Err(JwsError::Algorithm(presentable(algorithm, None)));
        }
        if header.contains_key("crit") {
            return Err(JwsError::Critical);
        }
        Ok(Self {
            algorithm: algorithm.to_owned(),
            kid: text("kid").map(str::to_owned),
            signing_input,
            payload: decode(payload, "has a payload that is not base64url")?.into(),
            signature: decode(signature, "has a signature that is not base64url")?,
        })
    }

    /// The key that it names. Not verified: good for nothing but finding that key.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The payload, if `key` made the signature.
    pub fn verify(self, key: &VerifyingKey) -> Result<VerifiedJws, JwsError> {
        let digest = Algorithm::Rs256.digest(self.signing_input.as_bytes());
        key.verify(&digest, &self.signature)
            .map_err(|_| JwsError::Signature)?;
        Ok(VerifiedJws {
            payload: self.payload,
        })
    }
}

impl VerifiedJws {
    #[cfg(test)]
    pub(crate) fn of_payload(payload: &[u8]) -> Self {
        Self {
            payload: payload.to_vec().into(),
        }
    }

    /// The bytes that were signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The claims (RFC 7519 section 4). Of a name that is there twice, the last counts.
    pub fn claims(&self) -> Result<Map<String, Value>, JwsError> {
        serde_json::from_slice(&self.payload).map_err(|_| JwsError::Claims)
    }
}

impl JwsError {
    /// The same, in which `secret` is not repeated: for the answer of a server that was sent it.
    #[must_use]
    pub(crate) fn without(self, secret: &str) -> Self {
        let shown = |text: String| presentable(&text, Some(secret));
        match self {
            Self::Algorithm(name) => Self::Algorithm(shown(name)),
            Self::UnknownKid { kid, age } => Self::UnknownKid {
                kid: shown(kid),
                age,
            },
            Self::Key { kid, error } => Self::Key {
                kid: kid.map(shown),
                error,
            },
            Self::Claim { name, what } => Self::Claim {
                name,
                what: shown(what),
            },
            other => other,
        }
    }
}

impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifiedJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedJws({} bytes)", self.payload.len())
    }
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(what) => write!(f, "{what} (RFC 7515 section 7.1)"),
            Self::TooLong { len } => {
                write!(f, "has {len} bytes, at most {MAX_PROVIDER_JWS} are read")
            }
            Self::Algorithm(name) => write!(
                f,
                "is signed with {name}; only RS256 is accepted (RFC 8725 section 3.1)"
            ),
            Self::Critical => f.write_str(
                "has a header with crit, extensions that must be understood (RFC 7515 section \
                 4.1.11)",
            ),
            Self::UnknownKid { kid, age } => write!(
                f,
                "is signed with the key {}, which is not in the provider's key set, read {} s ago",
                presentable(kid, None),
                age.as_secs()
            ),
            Self::NoKid { keys } => write!(
                f,
                "names no key (kid), and the provider's key set has {keys} (OpenID Connect Core \
                 section 10.1)"
            ),
            Self::Key { kid, error } => {
                let kid = kid.as_deref().unwrap_or("without a name");
                write!(
                    f,
                    "is signed with the key {}, which {error}",
                    presentable(kid, None)
                )
            }
            Self::Signature => f.write_str("has a signature that is not valid"),
            Self::Claim { name, what } => write!(f, "is not good here: {name} {what}"),
            Self::Claims => {
                f.write_str("has a payload that is not a JSON object (RFC 7519 section 7.2)")
            }
        }
    }
}

impl core::error::Error for JwsError {}
