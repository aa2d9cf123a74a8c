//! Access tokens that were given, by the SHA-256 of each: who reads the store has no token.

use core::fmt;
use std::sync::Mutex;

use privyseal_core::UnixTime;
use privyseal_hsm::lock;
use sha2::{Digest as _, Sha256};

use crate::replay::StoreError;
use crate::shares::Expiring;

/// What an access token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Whose it is.
    pub client_id: String,
    /// The SHA-256 of the key that it proved to have, as a SubjectPublicKeyInfo.
    pub key: [u8; 32],
    /// From when.
    pub issued: UnixTime,
    /// Until when, exclusive.
    pub expires: UnixTime,
}

/// Keeps grants until they expire.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// Keeps what the token with that SHA-256 stands for.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be kept.
    fn keep(&self, token: [u8; 32], grant: &Grant) -> Result<(), StoreError>;

    /// What the token with that SHA-256 stands for at `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that cannot be told.
    fn find(&self, token: &[u8; 32], now: UnixTime) -> Result<Option<Grant>, StoreError>;
}

/// Keeps grants in the memory of this process, and never more than so many.
#[derive(Debug)]
pub struct MemoryTokens(Mutex<Expiring<Grant>>);

/// Room for 200,000 that have not expired, of some 300 bytes each. One client gets a third of what the others leave: 66,000,
/// or 18 a second, each for an hour.
impl Default for MemoryTokens {
    fn default() -> Self {
        Self(Mutex::new(Expiring::new(200_000)))
    }
}

impl TokenStore for MemoryTokens {
    fn keep(&self, token: [u8; 32], grant: &Grant) -> Result<(), StoreError> {
        let mut kept = lock(&self.0);
        kept.forget(grant.issued);
        let client = Sha256::digest(&grant.client_id).into();
        let is_kept = kept.keep(token, grant.clone(), client, grant.expires);
        is_kept.then_some(()).ok_or(StoreError::Full)
    }

    fn find(&self, token: &[u8; 32], now: UnixTime) -> Result<Option<Grant>, StoreError> {
        let kept = lock(&self.0);
        let grant = kept.get(token);
        Ok(grant.filter(|grant| now < grant.expires).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(issued: u64) -> Grant {
        let at = |seconds| UnixTime::from_secs(seconds).unwrap();
        Grant {
            client_id: "c".into(),
            key: [7; 32],
            issued: at(issued),
            expires: at(issued + 10),
        }
    }

    #[test]
    fn a_token_is_good_until_it_expires_and_the_store_is_bounded() {
        let store = MemoryTokens(Mutex::new(Expiring::new(1)));
        store.keep([1; 32], &grant(100)).unwrap();
        let find = |now| store.find(&[1; 32], UnixTime::from_secs(now).unwrap());
        assert_eq!(find(109), Ok(Some(grant(100))));
        assert_eq!(find(110), Ok(None));
        assert_eq!(store.keep([2; 32], &grant(109)), Err(StoreError::Full));
        store.keep([2; 32], &grant(110)).unwrap();
        assert_eq!(find(105), Ok(None));
    }

    #[test]
    fn no_client_uses_up_the_tokens_of_others() {
        let store = MemoryTokens(Mutex::new(Expiring::new(100)));
        let of = |client: &str, issued| Grant {
            client_id: client.to_owned(),
            ..grant(issued)
        };
        let kept = (0..100).filter(|token| store.keep([*token; 32], &of("a", 100)).is_ok());
        assert_eq!(kept.count(), 34);
        assert_eq!(store.keep([100; 32], &of("b", 100)), Ok(()));
        assert_eq!(store.keep([101; 32], &of("a", 109)), Err(StoreError::Full));
        assert_eq!(store.keep([101; 32], &of("a", 110)), Ok(()));
    }
}
