//! A JWS that somebody else signed: an id_token, an access token, the signed response of a registry.
//!
//! Its payload can be had in one way only: by verifying its signature with a key that was chosen before, with
//! an algorithm that the verifier accepts (RFC 8725 section 3.1).

mod claims;
mod members;

pub(crate) use members::unique as unique_members;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use privyseal_core::jws::{Algorithm, JwsParts};
use privyseal_core::limits::MAX_CERTIFICATES;
use privyseal_core::rsa::VerifyingKey;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::JoseError;
use crate::base::display::sanitize_for_display;

pub use super::error::{JwsFault, MAX_PROVIDER_JWS};
pub use claims::{ClaimRules, check_subject, judge_access_token_type};
pub(crate) use claims::{judge_times, judge_userinfo, moment};

/// A compact JWS (RFC 7515 section 7.1) whose signature is not verified yet.
pub struct Jws<'t> {
    header: JwsHeader,
    signing_input: &'t str,
    payload: Zeroizing<Vec<u8>>,
    signature: Vec<u8>,
}

/// The header of a JWS that is signed with an accepted algorithm. Nothing of it is verified.
#[derive(Debug)]
pub struct JwsHeader {
    algorithm: Algorithm,
    members: Map<String, Value>,
}

/// The payload of a JWS whose signature is valid. What its claims say is still to be judged.
///
/// `Debug` does not show it: it is about a person, mostly.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedJws {
    payload: Zeroizing<Vec<u8>>,
    /// Of the header.
    typ: Option<String>,
}

impl<'t> Jws<'t> {
    /// Takes a JWS of a provider apart: RS256 only, of at most [`MAX_PROVIDER_JWS`] bytes.
    ///
    /// # Errors
    ///
    /// [`JoseError`] for another form, length or algorithm.
    pub fn parse(text: &'t str) -> Result<Self, JoseError> {
        match text.len() {
            len if len > MAX_PROVIDER_JWS => Err(JwsFault::TooLong { len }.into()),
            _ => Self::parse_signed_with(text, &[Algorithm::Rs256]),
        }
    }

    /// Takes a JWS of any length apart that was signed with one of `accepted`.
    ///
    /// # Errors
    ///
    /// [`JoseError`] for another form or algorithm.
    pub fn parse_signed_with(text: &'t str, accepted: &[Algorithm]) -> Result<Self, JoseError> {
        let parts = JwsParts::split(text).ok_or_else(|| match text.split('.').take(6).count() {
            5 => JwsFault::Encrypted,
            _ => JwsFault::Form(PARTS),
        })?;
        Ok(Self {
            header: JwsHeader::parse(parts.header, accepted)?,
            signing_input: parts.signing_input,
            payload: decode(parts.payload, "has a payload that is not base64url")?.into(),
            signature: decode(parts.signature, "has a signature that is not base64url")?,
        })
    }

    /// What it says before its payload.
    pub const fn header(&self) -> &JwsHeader {
        &self.header
    }

    /// A text claim that nobody proved: good for nothing but looking up who should have.
    pub fn unverified_claim(&self, name: &str) -> Option<String> {
        let claims: Map<String, Value> = members::unique(&self.payload).ok()?;
        Some(claims.get(name)?.as_str()?.to_owned())
    }

    /// The payload, if `key` made the signature.
    ///
    /// # Errors
    ///
    /// [`JwsFault::Signature`] if it did not.
    pub fn verify(self, key: &VerifyingKey) -> Result<VerifiedJws, JoseError> {
        let algorithm = self.header.algorithm;
        let digest = algorithm.digest(self.signing_input.as_bytes());
        key.verify(&digest, &self.signature)
            .map_err(|_| JwsFault::Signature)?;
        Ok(VerifiedJws {
            payload: self.payload,
            typ: self.header.typ().map(str::to_owned),
        })
    }
}

impl JwsHeader {
    /// Reads the header of a compact JWS, in base64url, that names one of `accepted`.
    ///
    /// # Errors
    ///
    /// [`JoseError`] for another form or algorithm.
    fn parse(header: &str, accepted: &[Algorithm]) -> Result<Self, JoseError> {
        let decoded = decode(header, "has a header that is not base64url")?;
        let members: Map<String, Value> = members::unique(&decoded).map_err(|_| {
            JwsFault::Form("has a header that is not a JSON object whose members are there once")
        })?;
        let alg = members.get("alg").and_then(Value::as_str);
        let alg = alg.ok_or(JwsFault::Form("names no algorithm"))?;
        let algorithm = accepted.iter().find(|algorithm| algorithm.name() == alg);
        let algorithm = *algorithm.ok_or_else(|| JwsFault::Algorithm {
            found: sanitize_for_display(alg, None),
            accepted: accepted.iter().map(|algorithm| algorithm.name()).collect(),
        })?;
        if members.contains_key("crit") {
            return Err(JwsFault::Critical.into());
        }
        let is_text = |name| members.get(name).is_none_or(Value::is_string);
        if !["typ", "kid"].into_iter().all(is_text) {
            return Err(JwsFault::Form("has a typ or kid that is not a text").into());
        }
        Ok(Self { algorithm, members })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// The key that it names: good for nothing but finding that key.
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// What it says that the token is.
    pub fn typ(&self) -> Option<&str> {
        self.text("typ")
    }

    /// The certificates that it carries, DER, in its order (`x5c`, RFC 7515 section 4.1.6).
    ///
    /// # Errors
    ///
    /// [`JwsFault::X5c`] if it has none, more than any chain has, or something else there.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, JoseError> {
        let der = |item: &Value| Base64::decode_vec(item.as_str()?).ok();
        let items = self.members.get("x5c").and_then(Value::as_array);
        let items = items.filter(|items| (1..=MAX_CERTIFICATES).contains(&items.len()));
        items
            .and_then(|items| items.iter().map(der).collect())
            .ok_or(JwsFault::X5c.into())
    }
}

const PARTS: &str = "has not three parts with dots between them";

fn decode(part: &str, what: &'static str) -> Result<Vec<u8>, JwsFault> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| JwsFault::Form(what))
}

impl VerifiedJws {
    /// `typ` of the header.
    pub(crate) fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The bytes that were signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The claims (RFC 7519 section 4), each of them there once.
    ///
    /// # Errors
    ///
    /// [`JwsFault::Claims`] if the payload is no such JSON object.
    pub fn claims(&self) -> Result<Map<String, Value>, JoseError> {
        Ok(members::unique(&self.payload).map_err(|_| JwsFault::Claims)?)
    }
}

privyseal_core::opaque_debug! {
    [] Jws<'_> as it: kid = it.header.kid();
    [] VerifiedJws as it: bytes = it.payload.len();
}

#[cfg(test)]
mod tests {
    use super::VerifiedJws;

    impl VerifiedJws {
        pub(crate) fn of_payload(payload: &[u8]) -> Self {
            Self {
                payload: payload.to_vec().into(),
                typ: None,
            }
        }
    }
}
