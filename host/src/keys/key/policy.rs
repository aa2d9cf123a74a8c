//! What may be done to use a key, and what it must be.

use privyseal_hsm::KeyPolicy;
use privyseal_pkcs11::{LoginPolicy, PoolOptions, SignerOptions};

use crate::error::Error;
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
    /// The signer keeps the PIN: for keys that want it for every signature, and for a login that is lost.
    pub(super) fn keeping_the_pin(&self) -> SignerOptions {
        SignerOptions::default()
            .login(self.login)
            .key(self.key)
            .keep_pin(true)
    }

    /// The same for a key that many threads sign with.
    pub(super) fn pooled(&self) -> PoolOptions {
        PoolOptions::default().signer(self.keeping_the_pin())
    }

    /// A device has no PIN, and a policy of its own.
    pub fn fits_device(&self, uri: &DeviceUri) -> Result<(), Error> {
        if self.login.spend_final_try {
            return Err(Error::Option {
                option: "--spend-final-pin-try",
                reason: format!("is for keys with a PIN, and {uri} has none"),
            });
        }
        self.has_no_key_policy()
    }

    /// For a key without the attributes that a [`KeyPolicy`] is about.
    pub(super) fn has_no_key_policy(&self) -> Result<(), Error> {
        if self.key == KeyPolicy::default() {
            return Ok(());
        }
        Err(Error::Option {
            option: "a policy for keys (see --help)",
            reason: "is for pkcs11: keys: it is about attributes that others do not have"
                .to_owned(),
        })
    }
}
