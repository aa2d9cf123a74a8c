//! Takes tokens apart, without the core: the base64 is the `base64ct` crate's, the JSON `serde_json`'s.

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use serde_json::Value;

/// A JWS taken apart.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// The JSON of the header, as it was encoded.
    pub header: Vec<u8>,
    /// The JSON of the claims, as it was encoded.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// What was signed.
    pub signing_input: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes a compact JWS apart.
    ///
    /// # Panics
    /// If it is none.
    pub fn of(token: &'a str) -> Self {
        let (signing_input, signature) = token.rsplit_once('.').expect("a compact JWS");
        let (header, payload) = signing_input.split_once('.').expect("a compact JWS");
        Self {
            header: base64url(header),
            payload: base64url(payload),
            signature: base64url(signature),
            signing_input,
        }
    }

    /// The header.
    ///
    /// # Panics
    /// If it is no JSON.
    pub fn header(&self) -> Value {
        serde_json::from_slice(&self.header).expect("the header is JSON")
    }

    /// The claims.
    ///
    /// # Panics
    /// If they are no JSON.
    pub fn claims(&self) -> Value {
        serde_json::from_slice(&self.payload).expect("the claims are JSON")
    }
}

/// Decodes base64url without padding (RFC 7515 section 2).
///
/// # Panics
/// If it is none.
pub fn base64url(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).expect("base64url without padding")
}

/// Encodes in base64url without padding.
pub fn to_base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Encodes in lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// Encodes in padded standard base64, as `x5c` has it.
pub fn to_base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}
