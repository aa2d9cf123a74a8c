//! The five parts of a compact JWE (RFC 7516 section 7.1), and a header of which nothing is guessed.

use base64ct::{Base64UrlUnpadded, Encoding};
use privyseal_core::KeyEncryption;
use privyseal_core::limits::MAX_SIGNATURE;
use serde_json::{Map, Value};

use super::content::ContentEncryption;
use crate::base::display::sanitize_for_display;
use crate::jose::error::{JoseError, JweFault, MAX_JWE};
use crate::jose::jws::unique_members;

/// A compact JWE, taken apart.
pub struct Jwe<'t> {
    /// The encoded header, which the content is bound to.
    pub(super) protected: &'t str,
    pub(super) key_encryption: KeyEncryption,
    pub(super) content_encryption: ContentEncryption,
    kid: Option<String>,
    pub(super) encrypted_key: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl<'t> Jwe<'t> {
    /// Takes a JWE apart. Of algorithms, only those that the module names get through.
    ///
    /// # Errors
    ///
    /// [`JoseError`] for another form, length or algorithm.
    pub fn parse(text: &'t str) -> Result<Self, JoseError> {
        let len = text.len();
        if len > MAX_JWE {
            return Err(JweFault::TooLong { len }.into());
        }
        let parts: Vec<&str> = text.splitn(6, '.').collect();
        let [protected, key, iv, ciphertext, tag] = parts[..] else {
            return Err(JweFault::Form("has not five parts with dots between them").into());
        };
        let header = decode(protected, "has a header that is not base64url")?;
        let header: Map<String, Value> = unique_members(&header).map_err(|_| {
            JweFault::Form("has a header that is not a JSON object whose members are there once")
        })?;
        if header.contains_key("crit") {
            return Err(JweFault::Critical.into());
        }
        if header.contains_key("zip") {
            return Err(JweFault::Compressed.into());
        }
        let text = |name| header.get(name).and_then(Value::as_str);
        let alg = text("alg").ok_or(JweFault::Form("names no alg"))?;
        let enc = text("enc").ok_or(JweFault::Form("names no enc"))?;
        let key_encryption = KeyEncryption::by_name(alg)
            .ok_or_else(|| JweFault::Alg(sanitize_for_display(alg, None)))?;
        let content_encryption = ContentEncryption::by_name(enc)
            .ok_or_else(|| JweFault::Enc(sanitize_for_display(enc, None)))?;
        let jwe = Self {
            protected,
            key_encryption,
            content_encryption,
            kid: text("kid").map(str::to_owned),
            encrypted_key: decode(key, "has an encrypted key that is not base64url")?,
            iv: decode(iv, "has an initialization vector that is not base64url")?,
            ciphertext: decode(ciphertext, "has a ciphertext that is not base64url")?,
            tag: decode(tag, "has an authentication tag that is not base64url")?,
        };
        jwe.check_lengths()?;
        Ok(jwe)
    }

    /// How the content key is encrypted.
    pub const fn key_encryption(&self) -> KeyEncryption {
        self.key_encryption
    }

    /// The name of the key that it was encrypted to, if it says.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What everybody can see. That the encrypted key has the length of the modulus is for the unwrapper.
    fn check_lengths(&self) -> Result<(), JoseError> {
        let [_, iv_len, tag_len] = self.content_encryption.lengths();
        let fault = if self.encrypted_key.is_empty() || self.encrypted_key.len() > MAX_SIGNATURE {
            "has an encrypted key of no possible length"
        } else if self.iv.len() != iv_len {
            "has an initialization vector of the wrong length for its enc"
        } else if self.tag.len() != tag_len {
            "has an authentication tag of the wrong length for its enc"
        } else {
            return Ok(());
        };
        Err(JweFault::Form(fault).into())
    }
}

fn decode(part: &str, what: &'static str) -> Result<Vec<u8>, JweFault> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| JweFault::Form(what))
}

privyseal_core::opaque_debug! { [] Jwe<'_>: key_encryption, content_encryption, kid; }
