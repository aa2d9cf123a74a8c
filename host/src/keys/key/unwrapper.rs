//! An unwrapper of whichever kind the key reference names.

use core::fmt;

use privyseal_core::{KeyEncryption, RsaPublicKey, Unwrapper};
use privyseal_pkcs11::Pkcs11Unwrapper;

use super::KeySignerError;

/// An open key that decrypts what others encrypted to it.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyUnwrapper {
    /// Behind a PKCS #11 module.
    Pkcs11(Pkcs11Unwrapper),
}

impl KeyUnwrapper {
    /// What is to be known about the key, in words; it can decrypt all the same.
    pub fn notes(&self) -> Vec<String> {
        match self {
            Self::Pkcs11(key) => key.notes().iter().map(ToString::to_string).collect(),
        }
    }
}

impl Unwrapper for KeyUnwrapper {
    type Error = KeySignerError;

    fn public_key(&self) -> &RsaPublicKey {
        match self {
            Self::Pkcs11(key) => key.public_key(),
        }
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, KeySignerError> {
        match self {
            Self::Pkcs11(hardware) => hardware
                .unwrap_key(algorithm, encrypted, key)
                .map_err(KeySignerError::Pkcs11),
        }
    }
}

/// For messages.
impl fmt::Display for KeyUnwrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pkcs11(key) => key.uri().fmt(f),
        }
    }
}
