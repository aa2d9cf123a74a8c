//! Keys on a YubiHSM 2, which signs one at a time.

use std::sync::Mutex;

use privyseal_core::{RsaPublicKey, Signature, Signer as _};
use privyseal_hsm::{FitnessNote, SealedInput, lock};
use privyseal_yubihsm::YubihsmSigner;

use super::KeySigner;
use super::signer::Backend;
use crate::keys::SignerFailure;

#[derive(Debug)]
struct Yubihsm {
    public_key: RsaPublicKey,
    signer: Mutex<YubihsmSigner>,
}

impl Backend for Yubihsm {
    fn public_key(&self) -> &RsaPublicKey {
        &self.public_key
    }

    fn notes(&self) -> Vec<FitnessNote> {
        lock(&self.signer).notes().to_vec()
    }

    fn certificates(&self) -> Result<Vec<Vec<u8>>, SignerFailure> {
        lock(&self.signer)
            .certificates()
            .map_err(SignerFailure::new)
    }

    fn sign(&self, input: SealedInput<'_>, signature: &mut Signature) -> Result<(), SignerFailure> {
        let signed = lock(&self.signer).sign_sealed(input, signature);
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
