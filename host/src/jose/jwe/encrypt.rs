//! Encryption to somebody's public key: what was signed, and is for them alone to read.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::rsa::{KeyError, VerifyingKey};
use privyseal_core::{KeyEncryption, RsaPublicKey};
use ring::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use serde_json::json;
use zeroize::Zeroizing;

use super::content::{ContentEncryption, Sealed};
use crate::base::{BaseError, entropy};
use crate::jose::jwk::{KeySet, KeySetError};

/// The recipient, and how.
#[derive(Clone)]
pub struct Recipient {
    pub(crate) key: VerifyingKey,
    kid: Option<String>,
    pub(crate) algorithm: KeyEncryption,
    pub(crate) content: ContentEncryption,
}

impl Recipient {
    /// Whoever has the private half of `key`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for a key of a size that is not supported.
    pub fn new(
        key: RsaPublicKey,
        algorithm: KeyEncryption,
        content: ContentEncryption,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            key: VerifyingKey::new(key)?,
            kid: None,
            algorithm,
            content,
        })
    }

    /// Whose JWK Set this is: the first key that can be used and is for `algorithm`, if there is one.
    ///
    /// # Errors
    ///
    /// As [`KeySet::from_bytes`]; [`KeySetError::Unfit`] if there are such keys, and none can be used.
    pub fn of(
        set: &[u8],
        algorithm: KeyEncryption,
        content: ContentEncryption,
    ) -> Result<Option<Self>, KeySetError> {
        let keys = KeySet::for_encryption(set, algorithm)?;
        let recipients = keys.iter().map(|(kid, key)| {
            let recipient = Self::new(key.clone()?, algorithm, content)?;
            Ok(Self {
                kid: kid.map(str::to_owned),
                ..recipient
            })
        });
        let first = recipients.reduce(Result::or);
        first.transpose().map_err(KeySetError::Unfit)
    }

    /// `jws` as a nested JWT (RFC 7519 section 5.2): a compact JWE with a content key of its own.
    ///
    /// # Errors
    ///
    /// [`BaseError::Entropy`].
    pub fn encrypt(&self, jws: &str) -> Result<Zeroizing<String>, BaseError> {
        let mut header = json!({
            "alg": self.algorithm.name(), "cty": "JWT", "enc": self.content.name(),
        });
        if let Some(kid) = &self.kid {
            header["kid"] = kid.as_str().into();
        }
        let protected = Base64UrlUnpadded::encode_string(header.to_string().as_bytes());
        let mut key = Zeroizing::new([0; ContentEncryption::MAX_KEY_LEN]);
        let [key_len, iv_len, _] = self.content.lengths();
        let key = &mut key[..key_len];
        entropy::fill(key)?;
        let mut iv = vec![0; iv_len];
        entropy::fill(&mut iv)?;
        let encrypted_key = self.encrypt_key(key)?;
        let plain = Sealed {
            protected: &protected,
            iv: &iv,
            ciphertext: jws.as_bytes(),
            tag: &[],
        };
        let sealed = self.content.encrypt(key, &plain);
        let (ciphertext, tag) = sealed.ok_or(BaseError::Seal)?;
        let parts = [&encrypted_key, &iv, &ciphertext, &tag];
        let parts = parts.map(|part| Base64UrlUnpadded::encode_string(part));
        Ok(Zeroizing::new(format!("{protected}.{}", parts.join("."))))
    }

    /// RSAES-OAEP (RFC 8017 section 7.1.1), without a label.
    fn encrypt_key(&self, key: &[u8]) -> Result<Vec<u8>, BaseError> {
        let hash = match self.algorithm {
            KeyEncryption::RsaOaep => &SHA1_FOR_LEGACY_USE_ONLY,
            KeyEncryption::RsaOaep256 => &SHA256,
        };
        let size = self.key.public_key().size();
        let mut message = Zeroizing::new(vec![0; size]);
        let (seed, block) = message[1..].split_at_mut(hash.output_len());
        entropy::fill(seed)?;
        block[..hash.output_len()].copy_from_slice(digest::digest(hash, &[]).as_ref());
        // The largest content key has 64 bytes, and the smallest block 191 (RSA-2048 with SHA-256: 223 - 32).
        let start = block.len() - key.len();
        block[start - 1] = 1;
        block[start..].copy_from_slice(key);
        mask(hash, seed, block);
        mask(hash, block, seed);
        let mut encrypted = vec![0; size];
        // It begins with a zero byte, so it is below the modulus.
        let done = self.key.encrypt_raw(&message, &mut encrypted);
        done.map(|()| encrypted).map_err(|_| BaseError::Seal)
    }
}

/// MGF1 (RFC 8017 appendix B.2.1) of `seed`, over `target`.
fn mask(hash: &'static digest::Algorithm, seed: &[u8], target: &mut [u8]) {
    for (counter, chunk) in (0_u32..).zip(target.chunks_mut(hash.output_len())) {
        let mut context = digest::Context::new(hash);
        context.update(seed);
        context.update(&counter.to_be_bytes());
        let digest = context.finish();
        for (byte, mask) in chunk.iter_mut().zip(digest.as_ref()) {
            *byte ^= mask;
        }
    }
}

privyseal_core::opaque_debug! { [] Recipient: kid, algorithm, content; }
