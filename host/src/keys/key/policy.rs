//! What may be done to use a key, and what it must be.

use privyseal_hsm::{KeyPolicy, LoginPolicy};

#[cfg(any(feature = "gateway", feature = "yubihsm"))]
use crate::keys::KeyUriError;
#[cfg(feature = "gateway")]
use privyseal_gateway::DeviceUri;

/// What a login may cost, and what the key must be. The default is careful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccessPolicy {
    /// What a login may cost.
    pub login: LoginPolicy,
    /// What a key behind a PKCS #11 module must be. Another kind of key is refused unless this is the
    /// default: it has no such attributes.
    pub key: KeyPolicy,
}

impl AccessPolicy {
    /// A device has no PIN, and a policy of its own.
    ///
    /// # Errors
    /// [`KeyUriError::NoPin`] and [`KeyUriError::NoAttributes`].
    #[cfg(feature = "gateway")]
    pub fn fits_device(&self, uri: &DeviceUri) -> Result<(), KeyUriError> {
        if self.login.spend_final_try {
            return Err(KeyUriError::NoPin(uri.to_string()));
        }
        self.has_no_key_policy()
    }

    /// For a key without the attributes that a [`KeyPolicy`] is about.
    #[cfg(any(feature = "gateway", feature = "yubihsm"))]
    pub(crate) fn has_no_key_policy(&self) -> Result<(), KeyUriError> {
        if self.key == KeyPolicy::default() {
            return Ok(());
        }
        Err(KeyUriError::NoAttributes)
    }
}
