//! What an application stores elsewhere while a person is asked (a cookie, a database, another process): encrypted,
//! and bound to what it is for.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
#[cfg(any(feature = "ciba", feature = "login"))]
use serde::Serialize;
use zeroize::Zeroizing;

use super::{BaseError, entropy};

/// A key that seals (AES-256-GCM with a random nonce: for 2^32 values at most). All processes that open what one of
/// them sealed have the same one. `Debug` does not show it.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// The key of these 32 bytes, which nobody can guess.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*key))
    }

    /// A new one, which lives as long as the process does.
    ///
    /// # Errors
    ///
    /// As [`entropy::fill`].
    pub fn generate() -> Result<Self, BaseError> {
        let mut key = Zeroizing::new([0; 32]);
        entropy::fill(&mut *key)?;
        Ok(Self(key))
    }

    /// `value` as JSON, encrypted as [`SealKey::seal`] does.
    #[cfg(any(feature = "ciba", feature = "login"))]
    pub(crate) fn seal_json(
        &self,
        purpose: &str,
        binding: &[u8],
        value: &impl Serialize,
    ) -> Result<String, BaseError> {
        // Counted first and reserved at once, so that no copy is left behind by a growing vector.
        let mut count = Count(0);
        serde_json::to_writer(&mut count, value).map_err(|_| BaseError::Seal)?;
        let mut json = Zeroizing::new(Vec::with_capacity(count.0));
        serde_json::to_writer(&mut *json, value).map_err(|_| BaseError::Seal)?;
        self.seal(purpose, binding, &json)
    }

    /// `plain`, encrypted. It opens for the same `purpose` and `binding` only. The text is base64url.
    pub(crate) fn seal(
        &self,
        purpose: &str,
        binding: &[u8],
        plain: &[u8],
    ) -> Result<String, BaseError> {
        let mut nonce = [0; NONCE_LEN];
        entropy::fill(&mut nonce)?;
        // Reserved at once, so that no copy of the plaintext is left behind by a growing vector.
        let room = NONCE_LEN + plain.len() + AES_256_GCM.tag_len();
        let mut sealed = Zeroizing::new(Vec::with_capacity(room));
        sealed.extend_from_slice(plain);
        let (key, aad) = self.parts(purpose, binding).ok_or(BaseError::Seal)?;
        let unique = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(unique, aad, &mut *sealed)
            .map_err(|_| BaseError::Seal)?;
        sealed.splice(..0, nonce);
        Ok(Base64UrlUnpadded::encode_string(&sealed))
    }

    /// The plaintext of `sealed`, unless it was made with another key, for something else, or changed.
    pub(crate) fn open(
        &self,
        purpose: &str,
        binding: &[u8],
        sealed: &str,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut text = Zeroizing::new(Base64UrlUnpadded::decode_vec(sealed).ok()?);
        let nonce = Nonce::try_assume_unique_for_key(text.get(..NONCE_LEN)?).ok()?;
        let (key, aad) = self.parts(purpose, binding)?;
        let len = key
            .open_within(nonce, aad, &mut text, NONCE_LEN..)
            .ok()?
            .len();
        text.truncate(len);
        Some(text)
    }

    fn parts(&self, purpose: &str, binding: &[u8]) -> Option<(LessSafeKey, Aad<Vec<u8>>)> {
        let key = UnboundKey::new(&AES_256_GCM, &*self.0).ok()?;
        let aad = [purpose.as_bytes(), &[0], binding].concat();
        Some((LessSafeKey::new(key), Aad::from(aad)))
    }
}

/// Counts bytes.
#[cfg(any(feature = "ciba", feature = "login"))]
struct Count(usize);

#[cfg(any(feature = "ciba", feature = "login"))]
impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

privyseal_core::opaque_debug! { [] SealKey; }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_for_what_it_was_sealed_for_and_nothing_else() {
        let key = SealKey::new(&[7; 32]);
        for plain in [&b""[..], b"s3cret", &[0; 4096]] {
            let sealed = key.seal("login", b"browser-1", plain).unwrap();
            let open = |key: &SealKey, purpose, binding: &[u8]| key.open(purpose, binding, &sealed);
            assert_eq!(&**open(&key, "login", b"browser-1").unwrap(), plain);
            assert!(open(&key, "ciba", b"browser-1").is_none());
            assert!(open(&key, "login", b"browser-2").is_none());
            assert!(open(&key, "login\0browser", b"-1").is_none());
            assert!(open(&SealKey::generate().unwrap(), "login", b"browser-1").is_none());
            assert_ne!(sealed, key.seal("login", b"browser-1", plain).unwrap());
        }
    }

    #[test]
    fn no_changed_or_missing_byte_opens() {
        let key = SealKey::generate().unwrap();
        let sealed = key.seal("login", b"", b"s3cret").unwrap();
        assert!(!sealed.contains("s3cret"));
        for at in 0..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(key.open("login", b"", &other).is_none(), "{at}");
            assert!(key.open("login", b"", &sealed[..at]).is_none(), "{at}");
        }
        assert!(key.open("login", b"", "?").is_none());
    }
}
