//! Keys behind a PKCS #11 module.

use privyseal_core::{RsaPublicKey, Signature};
use privyseal_hsm::{FitnessNote, SealedInput};
use privyseal_pkcs11::Pkcs11Pool;

use super::KeySigner;
use super::signer::Backend;
use crate::keys::SignerFailure;

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

    fn open_sessions(&self) -> usize {
        self.open_sessions()
    }
}

impl From<Pkcs11Pool> for KeySigner {
    fn from(pool: Pkcs11Pool) -> Self {
        Self::new(pool)
    }
}
