//! A signer of whichever kind the key reference names.

use core::fmt;
use std::sync::Arc;

use privyseal_core::{RsaPublicKey, Signature};
use privyseal_hsm::{FitnessNote, SealedInput, sealed_signer};

use crate::keys::{KeyError, SignerFailure};
use crate::pki::certificates::Certificates;

/// An open key. A clone is another handle to it, for another thread.
#[derive(Clone, Debug)]
pub struct KeySigner(Arc<dyn Backend>);

/// What a kind of key does; one file each.
pub(super) trait Backend: fmt::Debug + Send + Sync {
    fn public_key(&self) -> &RsaPublicKey;
    fn notes(&self) -> Vec<FitnessNote>;
    fn certificates(&self) -> Result<Vec<Vec<u8>>, SignerFailure>;
    fn sign(&self, input: SealedInput<'_>, signature: &mut Signature) -> Result<(), SignerFailure>;
    /// 0 for a kind that does not count them.
    fn open_sessions(&self) -> usize {
        0
    }
}

impl KeySigner {
    pub(super) fn new(backend: impl Backend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// Notes about the key, for people; it can sign nevertheless.
    pub fn notes(&self) -> Vec<String> {
        self.0.notes().iter().map(ToString::to_string).collect()
    }

    /// How many sessions with a PKCS #11 token are open for this key.
    pub fn open_sessions(&self) -> usize {
        self.0.open_sessions()
    }

    /// The certificates that the token keeps for this key.
    ///
    /// # Errors
    /// [`KeyError::Signer`]: there are none, or the token is away.
    pub fn certificates(&self) -> Result<Certificates, KeyError> {
        Ok(self.0.certificates()?.into())
    }
}

sealed_signer!(
    KeySigner,
    SignerFailure,
    |signer| signer.0.public_key(),
    |input, signature| signer.0.sign(input, signature)
);
