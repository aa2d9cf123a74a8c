//! What an application stores elsewhere while a person is asked (a cookie, a database, another process): encrypted,
//! and bound to what it is for.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{BaseError, entropy};

/// The longest JSON that is sealed: a session has four tokens of 64 KiB at most, of which a whole response is escaped.
const MAX_JSON: usize = 512 * 1024;

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

    /// `value` as JSON, encrypted. It opens for the same `purpose` and `binding` only. The text is base64url.
    pub(crate) fn seal(
        &self,
        purpose: &str,
        binding: &[u8],
        value: &impl Serialize,
    ) -> Result<String, BaseError> {
        let mut nonce = [0; NONCE_LEN];
        entropy::fill(&mut nonce)?;
        // It never grows: no copy is left behind.
        let mut sealed = Zeroizing::new(vec![0; NONCE_LEN + MAX_JSON]);
        let mut room = &mut sealed[NONCE_LEN..];
        serde_json::to_writer(&mut room, value).map_err(|_| BaseError::Seal)?;
        let end = NONCE_LEN + MAX_JSON - room.len();
        sealed.truncate(end);
        sealed[..NONCE_LEN].copy_from_slice(&nonce);
        let (key, aad) = self.parts(purpose, binding).ok_or(BaseError::Seal)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.seal_in_place_separate_tag(nonce, aad, &mut sealed[NONCE_LEN..]);
        sealed.extend_from_slice(tag.map_err(|_| BaseError::Seal)?.as_ref());
        Ok(Base64UrlUnpadded::encode_string(&sealed))
    }

    /// What was sealed, unless that was with another key, for something else, or it was changed.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        purpose: &str,
        binding: &[u8],
        sealed: &str,
    ) -> Result<T, BaseError> {
        let opened = || {
            let mut text = Zeroizing::new(Base64UrlUnpadded::decode_vec(sealed).ok()?);
            let nonce = Nonce::try_assume_unique_for_key(text.get(..NONCE_LEN)?).ok()?;
            let (key, aad) = self.parts(purpose, binding)?;
            let json = key.open_within(nonce, aad, &mut text, NONCE_LEN..).ok()?;
            serde_json::from_slice(json).ok()
        };
        opened().ok_or(BaseError::Sealed)
    }

    fn parts(&self, purpose: &str, binding: &[u8]) -> Option<(LessSafeKey, Aad<Vec<u8>>)> {
        let key = UnboundKey::new(&AES_256_GCM, &*self.0).ok()?;
        let aad = [purpose.as_bytes(), &[0], binding].concat();
        Some((LessSafeKey::new(key), Aad::from(aad)))
    }
}

privyseal_core::opaque_debug! { [] SealKey; }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_for_what_it_was_sealed_for_and_nothing_else() {
        let key = SealKey::new(&[7; 32]);
        for plain in ["", "s3cret", &"0".repeat(4096)] {
            let sealed = key.seal("login", b"browser-1", &plain).unwrap();
            let open = |key: &SealKey, purpose, binding: &[u8]| {
                key.open::<String>(purpose, binding, &sealed)
            };
            assert_eq!(open(&key, "login", b"browser-1").unwrap(), plain);
            assert!(open(&key, "ciba", b"browser-1").is_err());
            assert!(open(&key, "login", b"browser-2").is_err());
            assert!(open(&key, "login\0browser", b"-1").is_err());
            assert!(open(&SealKey::generate().unwrap(), "login", b"browser-1").is_err());
            assert_ne!(sealed, key.seal("login", b"browser-1", &plain).unwrap());
        }
    }

    #[test]
    fn what_is_longer_than_any_session_is_refused() {
        let key = SealKey::generate().unwrap();
        let seal = |len| key.seal("login", b"", &"0".repeat(len));
        seal(MAX_JSON - 2).unwrap();
        assert!(matches!(seal(MAX_JSON - 1), Err(BaseError::Seal)));
    }

    #[test]
    fn no_changed_or_missing_byte_opens() {
        let key = SealKey::generate().unwrap();
        let sealed = key.seal("login", b"", &"s3cret").unwrap();
        let opens = |text: &str| key.open::<String>("login", b"", text).is_ok();
        assert!(!sealed.contains("s3cret"));
        for at in 0..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(!opens(&other), "{at}");
            assert!(!opens(&sealed[..at]), "{at}");
        }
        assert!(!opens("?"));
    }
}
