//! Keys behind a PKCS #11 module.

use core::fmt;

use privyseal_core::{KeyEncryption, RsaPublicKey, Signature, Unwrapper};
use privyseal_hsm::{FitnessNote, SealedInput};
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Unwrapper, PoolOptions};

use super::signer::Backend;
use super::{AccessPolicy, KeySigner};
use crate::keys::SignerFailure;

impl AccessPolicy {
    /// [`AccessPolicy::keeping_the_pin`] for a key that many threads sign with.
    pub(super) fn pooled(&self) -> PoolOptions {
        PoolOptions::default().signer(self.keeping_the_pin())
    }
}

/// As many signatures at once as it has sessions for.
impl Backend for Pkcs11Pool {
    fn public_key(&self) -> &RsaPublicKey {
        self.public_key()
    }

    fn notes(&self) -> Vec<FitnessNote> {
        self.notes().to_vec()
    }

    fn certificates(&self) -> Result<Vec<Vec<u8>>, SignerFailure> {
        self.certificates().map_err(SignerFailure::new)
    }

    fn sign(&self, input: SealedInput<'_>, signature: &mut Signature) -> Result<(), SignerFailure> {
        self.sign(input, signature).map_err(SignerFailure::new)
    }
}

impl From<Pkcs11Pool> for KeySigner {
    fn from(pool: Pkcs11Pool) -> Self {
        Self::new(pool)
    }
}

/// An open key that decrypts what others encrypted to it.
#[derive(Debug)]
pub struct KeyUnwrapper(Pkcs11Unwrapper);

impl KeyUnwrapper {
    /// Notes about the key, for people; it can decrypt nevertheless.
    pub fn notes(&self) -> Vec<String> {
        self.0.notes().iter().map(ToString::to_string).collect()
    }
}

impl From<Pkcs11Unwrapper> for KeyUnwrapper {
    fn from(key: Pkcs11Unwrapper) -> Self {
        Self(key)
    }
}

impl Unwrapper for KeyUnwrapper {
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

/// For messages.
impl fmt::Display for KeyUnwrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.uri().fmt(f)
    }
}
