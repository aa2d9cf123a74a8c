//! What may be done to use a key, and what it must be.

use privyseal_hsm::{KeyPolicy, LoginPolicy, SignerOptions};

#[cfg(feature = "gateway")]
use crate::keys::KeyUriError;
#[cfg(feature = "gateway")]
use privyseal_gateway::DeviceUri;

/// What a login may cost, and what the key must be. The default is careful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessPolicy {
    /// What a login may cost.
    pub login: LoginPolicy,
    /// What a key on a token must be. A device's key is refused unless this is the default: it has no such
    /// attributes.
    pub key: KeyPolicy,
}

impl AccessPolicy {
    /// With what a login may cost, and what the key must be.
    pub const fn new(login: LoginPolicy, key: KeyPolicy) -> Self {
        Self { login, key }
    }

    /// A device has no PIN, and a policy of its own.
    ///
    /// # Errors
    /// [`KeyUriError::NoPin`] and [`KeyUriError::NoAttributes`].
    #[cfg(feature = "gateway")]
    pub fn fits_device(&self, uri: &DeviceUri) -> Result<(), KeyUriError> {
        if self.login.spend_final_try {
            return Err(KeyUriError::NoPin(uri.to_string()));
        }
        if self.key == KeyPolicy::default() {
            return Ok(());
        }
        Err(KeyUriError::NoAttributes)
    }

    #[cfg(any(feature = "pkcs11", feature = "yubihsm"))]
    /// The key keeps the PIN: for keys that want it for every use, and for a login that is lost.
    pub(crate) fn keeping_the_pin(&self) -> SignerOptions {
        SignerOptions::default()
            .login(self.login)
            .key(self.key)
            .keep_pin(true)
    }
}
