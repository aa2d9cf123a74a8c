//! The content: verified before one byte of it is decrypted (RFC 7518 sections 5.2 and 5.3).

use core::fmt;

use aes::Aes128;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// How the content is encrypted: the `enc` of a JWE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentEncryption {
    /// `A128CBC-HS256`: AES-128 in CBC mode, then HMAC-SHA-256 cut to 128 bits (RFC 7518 section 5.2.3).
    A128CbcHs256,
    /// `A256GCM`: AES-256 in Galois/Counter mode (RFC 7518 section 5.3).
    A256Gcm,
}

impl ContentEncryption {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A128CbcHs256, Self::A256Gcm];

    /// Bytes of a content key, which both have alike.
    pub const KEY_LEN: usize = 32;

    /// Bytes of an authentication tag, which both have alike.
    pub const TAG_LEN: usize = 16;

    /// The name in a header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The one of that name. Names are case-sensitive (RFC 7516 section 4.1.2).
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|enc| enc.name() == name)
    }

    /// Bytes of an initialization vector.
    pub const fn iv_len(self) -> usize {
        match self {
            Self::A128CbcHs256 => 16,
            Self::A256Gcm => 12,
        }
    }

    /// The plaintext, unless key, encoded header, vector, ciphertext or tag is another than it was made with.
    pub(super) fn decrypt(
        self,
        key: &[u8; Self::KEY_LEN],
        protected: &str,
        iv: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::A128CbcHs256 => cbc_hmac(key, protected.as_bytes(), iv, ciphertext, tag),
            Self::A256Gcm => gcm(key, protected.as_bytes(), iv, ciphertext, tag),
        }
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// RFC 7518 section 5.2.2.2: the first half of the key authenticates, the second encrypts. The padding is
/// looked at only when the tag is right.
fn cbc_hmac(
    key: &[u8; 32],
    protected: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (mac_key, encryption_key) = key.split_at(16);
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, mac_key));
    let header_bits = u64::try_from(protected.len()).ok()?.checked_mul(8)?;
    mac.update(protected);
    mac.update(iv);
    mac.update(ciphertext);
    mac.update(&header_bits.to_be_bytes());
    let made = mac.sign();
    let made = made.as_ref().get(..ContentEncryption::TAG_LEN)?;
    if !bool::from(made.ct_eq(tag)) {
        return None;
    }
    let cipher = cbc::Decryptor::<Aes128>::new_from_slices(encryption_key, iv).ok()?;
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let len = cipher.decrypt_padded::<Pkcs7>(&mut text).ok()?.len();
    text.truncate(len);
    Some(text)
}

fn gcm(
    key: &[u8; 32],
    protected: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
    let mut text = Zeroizing::new(Vec::with_capacity(ciphertext.len() + tag.len()));
    text.extend_from_slice(ciphertext);
    text.extend_from_slice(tag);
    let aad = Aad::from(protected);
    let len = key.open_in_place(nonce, aad, &mut text).ok()?.len();
    text.truncate(len);
    Some(text)
}
