//! A key that decrypts, of whichever kind the key reference names.

use std::sync::{Arc, Mutex};

use privyseal_core::{KeyEncryption, RsaPublicKey, SignerError, Unwrapper};
use privyseal_hsm::lock;

use crate::keys::SignerFailure;

/// A handle to an open key that decrypts what others encrypted to it. Its clones are handles to the same key: who decrypts
/// has it alone for that moment, and for nothing else.
#[derive(Clone)]
pub struct KeyUnwrapper {
    key: Arc<Mutex<Unwrap>>,
    public_key: RsaPublicKey,
    notes: Vec<String>,
}

/// [`Unwrapper::unwrap_key`] of any kind of key, with the one error.
type Unwrap = dyn FnMut(KeyEncryption, &[u8], &mut [u8]) -> Result<usize, SignerFailure> + Send;

impl KeyUnwrapper {
    /// A key of one's own kind.
    pub fn new<U>(mut key: U) -> Self
    where
        U: Unwrapper + Send + 'static,
        U::Error: SignerError + Send + Sync + 'static,
    {
        Self {
            public_key: key.public_key().clone(),
            key: Arc::new(Mutex::new(
                move |algorithm, encrypted: &[u8], room: &mut [u8]| {
                    let unwrapped = key.unwrap_key(algorithm, encrypted, room);
                    unwrapped.map_err(SignerFailure::new)
                },
            )),
            notes: Vec::new(),
        }
    }

    pub(super) fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// Notes about the key, for people; it can decrypt nevertheless.
    pub fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}

impl Unwrapper for KeyUnwrapper {
    type Error = SignerFailure;

    fn public_key(&self) -> &RsaPublicKey {
        &self.public_key
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, SignerFailure> {
        lock(&self.key)(algorithm, encrypted, key)
    }
}

privyseal_core::opaque_debug! { [] KeyUnwrapper: public_key; }
