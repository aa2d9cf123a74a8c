//! An open key of any kind.

use privyseal_core::{RsaPublicKey, Signer as _};

use super::KeySigner;
use crate::keys::KeyError;
use crate::pki::certificates::Certificates;
#[cfg(feature = "gateway")]
use privyseal_gateway::DeviceKey;

/// An open key.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenedKey {
    /// It signs what the core in this process builds.
    Signer(Box<KeySigner>),
    /// It builds and signs by itself.
    #[cfg(feature = "gateway")]
    Device(Box<DeviceKey>),
}

impl OpenedKey {
    /// The public key.
    pub fn public_key(&self) -> &RsaPublicKey {
        match self {
            Self::Signer(signer) => signer.public_key(),
            #[cfg(feature = "gateway")]
            Self::Device(key) => key.public_key(),
        }
    }

    /// The certificates that are kept beside the key.
    ///
    /// # Errors
    /// As [`KeySigner::certificates`].
    pub fn certificates(&self) -> Result<Certificates, KeyError> {
        match self {
            Self::Signer(signer) => Ok(signer.certificates()?),
            #[cfg(feature = "gateway")]
            Self::Device(key) => Ok(key.certificates().to_vec().into()),
        }
    }
}
