//! Keys on a YubiHSM 2, which signs one at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use privyseal_core::{RsaPublicKey, Signature, Signer as _};
use privyseal_hsm::{FitnessNote, SealedInput};
use privyseal_yubihsm::YubihsmSigner;

use super::KeySigner;
use super::signer::Backend;
use crate::keys::SignerFailure;

#[derive(Debug)]
struct Yubihsm {
    public_key: RsaPublicKey,
    signer: Mutex<YubihsmSigner>,
}

impl Yubihsm {
    fn signer(&self) -> MutexGuard<'_, YubihsmSigner> {
        self.signer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Yubihsm {
    fn public_key(&self) -> &RsaPublicKey {
        &self.public_key
    }

    fn notes(&self) -> Vec<FitnessNote> {
        self.signer().notes().to_vec()
    }

    fn certificates(&self) -> Result<Vec<Vec<u8>>, SignerFailure> {
        self.signer().certificates().map_err(SignerFailure::new)
    }

    fn sign(&self, input: SealedInput<'_>, signature: &mut Signature) -> Result<(), SignerFailure> {
        let signed = self.signer().sign_sealed(input, signature);
        signed.map_err(SignerFailure::new)
    }
}

impl From<YubihsmSigner> for KeySigner {
    fn from(signer: YubihsmSigner) -> Self {
        Self::new(Yubihsm {
            public_key: signer.public_key().clone(),
            signer: Mutex::new(signer),
        })
    }
}
