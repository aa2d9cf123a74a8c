//! The content: verified before one byte of it is decrypted (RFC 7518 sections 5.2 and 5.3).

use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::consts::U12;
use cbc::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt as _, BlockModeEncrypt as _,
    KeyIvInit as _,
};
use privyseal_core::named;
use ring::hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

named! {
    /// How the content is encrypted: the `enc` of a JWE (RFC 7518 section 5.1). Names are as in a header.
    #[non_exhaustive]
    pub enum ContentEncryption {
        /// `A128CBC-HS256`: AES-128 in CBC mode, then HMAC-SHA-256 cut to 128 bits (RFC 7518 section 5.2.3).
        A128CbcHs256 = "A128CBC-HS256",
        /// `A192CBC-HS384`: AES-192 in CBC mode, then HMAC-SHA-384 cut to 192 bits (section 5.2.4).
        A192CbcHs384 = "A192CBC-HS384",
        /// `A256CBC-HS512`: AES-256 in CBC mode, then HMAC-SHA-512 cut to 256 bits (section 5.2.5).
        A256CbcHs512 = "A256CBC-HS512",
        /// `A128GCM`: AES-128 in Galois/Counter mode (section 5.3).
        A128Gcm = "A128GCM",
        /// `A192GCM`: AES-192 in Galois/Counter mode.
        A192Gcm = "A192GCM",
        /// `A256GCM`: AES-256 in Galois/Counter mode.
        A256Gcm = "A256GCM",
    }
}

impl ContentEncryption {
    /// Bytes of the longest content key.
    pub const MAX_KEY_LEN: usize = 64;

    /// Bytes of a content key, of an initialization vector and of an authentication tag.
    pub(super) const fn lengths(self) -> [usize; 3] {
        match self {
            Self::A128CbcHs256 => [32, 16, 16],
            Self::A192CbcHs384 => [48, 16, 24],
            Self::A256CbcHs512 => [64, 16, 32],
            Self::A128Gcm => [16, 12, 16],
            Self::A192Gcm => [24, 12, 16],
            Self::A256Gcm => [32, 12, 16],
        }
    }

    /// The plaintext, unless key, encoded header, vector, ciphertext or tag is another than it was made with.
    pub(super) fn decrypt(self, key: &[u8], sealed: &Sealed<'_>) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::A128CbcHs256 => cbc_hmac::<Aes128>(HMAC_SHA256, key, sealed),
            Self::A192CbcHs384 => cbc_hmac::<Aes192>(HMAC_SHA384, key, sealed),
            Self::A256CbcHs512 => cbc_hmac::<Aes256>(HMAC_SHA512, key, sealed),
            Self::A128Gcm => gcm::<Aes128Gcm>(key, sealed),
            Self::A192Gcm => gcm::<AesGcm<Aes192, U12>>(key, sealed),
            Self::A256Gcm => gcm::<Aes256Gcm>(key, sealed),
        }
    }

    /// `plain.ciphertext` encrypted, and the tag over it and the encoded header; nothing if key or vector have other
    /// lengths.
    pub(super) fn encrypt(self, key: &[u8], plain: &Sealed<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
        match self {
            Self::A128CbcHs256 => hmac_cbc::<Aes128>(HMAC_SHA256, key, plain),
            Self::A192CbcHs384 => hmac_cbc::<Aes192>(HMAC_SHA384, key, plain),
            Self::A256CbcHs512 => hmac_cbc::<Aes256>(HMAC_SHA512, key, plain),
            Self::A128Gcm => sealed_gcm::<Aes128Gcm>(key, plain),
            Self::A192Gcm => sealed_gcm::<AesGcm<Aes192, U12>>(key, plain),
            Self::A256Gcm => sealed_gcm::<Aes256Gcm>(key, plain),
        }
    }
}

/// What a JWE has beside its content key.
pub(super) struct Sealed<'a> {
    pub(super) protected: &'a str,
    pub(super) iv: &'a [u8],
    pub(super) ciphertext: &'a [u8],
    pub(super) tag: &'a [u8],
}

/// RFC 7518 section 5.2.2.2: the first half of the key authenticates, the second encrypts, and the first half of the
/// HMAC is the tag. The padding is looked at only when the tag is right.
fn cbc_hmac<C: BlockCipherDecrypt + KeyInit>(
    algorithm: hmac::Algorithm,
    key: &[u8],
    sealed: &Sealed<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let (mac_key, encryption_key) = key.split_at_checked(key.len() / 2)?;
    let made = tag(algorithm, mac_key, sealed)?;
    if !bool::from(made.ct_eq(sealed.tag)) {
        return None;
    }
    let cipher = cbc::Decryptor::<C>::new_from_slices(encryption_key, sealed.iv).ok()?;
    let mut text = Zeroizing::new(sealed.ciphertext.to_vec());
    let len = cipher.decrypt_padded::<Pkcs7>(&mut text).ok()?.len();
    text.truncate(len);
    Some(text)
}

/// The other way round (RFC 7518 section 5.2.2.1).
fn hmac_cbc<C: BlockCipherEncrypt + KeyInit>(
    algorithm: hmac::Algorithm,
    key: &[u8],
    plain: &Sealed<'_>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    const BLOCK: usize = 16;
    let (mac_key, encryption_key) = key.split_at_checked(key.len() / 2)?;
    let cipher = cbc::Encryptor::<C>::new_from_slices(encryption_key, plain.iv).ok()?;
    let plain_len = plain.ciphertext.len();
    let mut text = [plain.ciphertext, &[0; BLOCK]].concat();
    let padded = cipher.encrypt_padded::<Pkcs7>(&mut text, plain_len);
    let len = padded.ok()?.len();
    text.truncate(len);
    let sealed = Sealed {
        ciphertext: &text,
        ..*plain
    };
    let tag = tag(algorithm, mac_key, &sealed)?;
    Some((text, tag))
}

/// The first half of the HMAC over everything.
fn tag(algorithm: hmac::Algorithm, key: &[u8], sealed: &Sealed<'_>) -> Option<Vec<u8>> {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    let header_bits = u64::try_from(sealed.protected.len()).ok()?.checked_mul(8)?;
    mac.update(sealed.protected.as_bytes());
    mac.update(sealed.iv);
    mac.update(sealed.ciphertext);
    mac.update(&header_bits.to_be_bytes());
    let made = mac.sign();
    let half = made.as_ref().get(..made.as_ref().len() / 2)?;
    Some(half.to_vec())
}

fn sealed_gcm<A: Aead + KeyInit>(key: &[u8], plain: &Sealed<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let payload = Payload {
        msg: plain.ciphertext,
        aad: plain.protected.as_bytes(),
    };
    let nonce = Nonce::<A>::try_from(plain.iv).ok()?;
    let mut text = A::new_from_slice(key).ok()?.encrypt(&nonce, payload).ok()?;
    let tag = text.split_off(plain.ciphertext.len());
    Some((text, tag))
}

fn gcm<A: Aead + KeyInit>(key: &[u8], sealed: &Sealed<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = A::new_from_slice(key).ok()?;
    let nonce = Nonce::<A>::try_from(sealed.iv).ok()?;
    let payload = Payload {
        msg: &[sealed.ciphertext, sealed.tag].concat(),
        aad: sealed.protected.as_bytes(),
    };
    cipher.decrypt(&nonce, payload).ok().map(Zeroizing::new)
}
