//! The three parts of a JWS that carries its certificates.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use privyseal_core::cert::Chain;
use privyseal_core::jws::Algorithm;
use privyseal_core::limits::MAX_CERTIFICATES;
use privyseal_core::rsa::VerifyingKey;
use privyseal_core::scheme::ISHARE;
use serde_json::{Map, Value};

use super::AnswerFault;

/// A JWS whose signature is not verified yet.
pub(super) struct Jws<'t> {
    algorithm: Algorithm,
    header: Map<String, Value>,
    signing_input: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Takes a compact JWS apart (RFC 7515 section 7.1) and judges its header.
    pub(super) fn parse(token: &'t str) -> Result<Self, AnswerFault> {
        let parts = token.rsplit_once('.');
        let (signing_input, signature) = parts.ok_or(AnswerFault::Form)?;
        let (header, payload) = signing_input.split_once('.').ok_or(AnswerFault::Form)?;
        let header = object(&decoded(header)?).ok_or(AnswerFault::Form)?;
        let text = |name| header.get(name).and_then(Value::as_str);
        let algorithms = ISHARE.algorithms.value.iter();
        let algorithm = algorithms
            .copied()
            .find(|algorithm| text("alg") == Some(algorithm.name()))
            .ok_or(AnswerFault::Algorithm)?;
        if text("typ") != Some("JWT") {
            return Err(AnswerFault::Type);
        }
        if header.contains_key("crit") {
            return Err(AnswerFault::Critical);
        }
        Ok(Self {
            algorithm,
            signing_input,
            payload: decoded(payload)?,
            signature: decoded(signature)?,
            header,
        })
    }

    /// The certificates of `x5c`, DER, as they stand (RFC 7515 section 4.1.6).
    pub(super) fn certificates(&self) -> Result<Vec<Vec<u8>>, AnswerFault> {
        let Some(Value::Array(items)) = self.header.get("x5c") else {
            return Err(AnswerFault::X5c);
        };
        if items.is_empty() || items.len() > MAX_CERTIFICATES {
            return Err(AnswerFault::X5c);
        }
        let der = |item: &Value| Base64::decode_vec(item.as_str()?).ok();
        items
            .iter()
            .map(|item| der(item).ok_or(AnswerFault::X5c))
            .collect()
    }

    /// The claims, if the leaf of `chain` signed them.
    pub(super) fn verify(&self, chain: &Chain<'_>) -> Result<Map<String, Value>, AnswerFault> {
        let leaf = chain.leaf().ok_or(AnswerFault::X5c)?;
        let key = leaf.rsa_key().and_then(VerifyingKey::new);
        let digest = self.algorithm.digest(self.signing_input.as_bytes());
        key.map_err(AnswerFault::Key)?
            .verify(&digest, &self.signature)
            .map_err(|_| AnswerFault::Signature)?;
        object(&self.payload).ok_or(AnswerFault::Form)
    }
}

/// The claims of a JWS, of which nothing is proved.
pub(in crate::schemes::ishare) fn unverified_claims(token: &str) -> Option<Map<String, Value>> {
    object(&decoded(token.split('.').nth(1)?).ok()?)
}

fn decoded(part: &str) -> Result<Vec<u8>, AnswerFault> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| AnswerFault::Form)
}

fn object(json: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(json).ok()
}
