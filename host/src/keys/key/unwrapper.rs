//! A key that decrypts, of whichever kind the key reference names.

use core::fmt;

use privyseal_core::{KeyEncryption, RsaPublicKey, SignerError, Unwrapper};

use crate::keys::SignerFailure;

/// An open key that decrypts what others encrypted to it.
pub struct KeyUnwrapper {
    key: Box<dyn Unwrapper<Error = SignerFailure> + Send>,
    uri: String,
    notes: Vec<String>,
}

/// An unwrapper of any kind, with the one error.
struct AnyUnwrapper<U>(U);

impl KeyUnwrapper {
    pub(super) fn new<U>(key: U, uri: String, notes: Vec<String>) -> Self
    where
        U: Unwrapper + Send + 'static,
        U::Error: SignerError + Send + Sync + 'static,
    {
        let key = Box::new(AnyUnwrapper(key));
        Self { key, uri, notes }
    }

    /// Notes about the key, for people; it can decrypt nevertheless.
    pub fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}

impl<U> Unwrapper for AnyUnwrapper<U>
where
    U: Unwrapper,
    U::Error: SignerError + Send + Sync + 'static,
{
    type Error = SignerFailure;

    fn public_key(&self) -> &RsaPublicKey {
        self.0.public_key()
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, SignerFailure> {
        let unwrapped = self.0.unwrap_key(algorithm, encrypted, key);
        unwrapped.map_err(SignerFailure::new)
    }
}

impl Unwrapper for KeyUnwrapper {
    type Error = SignerFailure;

    fn public_key(&self) -> &RsaPublicKey {
        self.key.public_key()
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, SignerFailure> {
        self.key.unwrap_key(algorithm, encrypted, key)
    }
}

privyseal_core::opaque_debug! { [] KeyUnwrapper: uri; }

/// For messages.
impl fmt::Display for KeyUnwrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}
