//! One decryption key for many threads.

use std::sync::{Arc, Mutex};

use privyseal_core::{KeyEncryption, RsaPublicKey, Unwrapper};
use privyseal_hsm::lock;

/// A handle to a decryption key that others have handles to as well. Who decrypts has the key alone for that moment, and
/// for nothing else.
pub struct SharedUnwrapper<U> {
    public_key: RsaPublicKey,
    unwrapper: Arc<Mutex<U>>,
}

impl<U: Unwrapper> SharedUnwrapper<U> {
    /// Shares `unwrapper`.
    pub fn new(unwrapper: U) -> Self {
        Self {
            public_key: unwrapper.public_key().clone(),
            unwrapper: Arc::new(Mutex::new(unwrapper)),
        }
    }
}

impl<U> Clone for SharedUnwrapper<U> {
    fn clone(&self) -> Self {
        Self {
            public_key: self.public_key.clone(),
            unwrapper: Arc::clone(&self.unwrapper),
        }
    }
}

impl<U: Unwrapper> Unwrapper for SharedUnwrapper<U> {
    type Error = U::Error;

    fn public_key(&self) -> &RsaPublicKey {
        &self.public_key
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, Self::Error> {
        lock(&self.unwrapper).unwrap_key(algorithm, encrypted, key)
    }
}

privyseal_core::opaque_debug! { [U] SharedUnwrapper<U>: public_key; }
