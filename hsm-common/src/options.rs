//! What a caller that opens a key may decide.

use crate::fitness::KeyPolicy;
use crate::secret::LoginPolicy;

/// How a signer is opened. The default is careful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignerOptions {
    /// What a login may cost. A YubiHSM counts no tries.
    pub login: LoginPolicy,
    /// What the key must be.
    pub key: KeyPolicy,
    /// Keep the PIN in memory (wiped when the signer goes) and use it for later logins instead of asking
    /// again: after a lost login, and for each signature of a key with `CKA_ALWAYS_AUTHENTICATE`. A session
    /// with a YubiHSM keeps what it needs anyway.
    pub keep_pin: bool,
}

impl SignerOptions {
    /// With what a login may cost.
    #[must_use]
    pub const fn login(self, login: LoginPolicy) -> Self {
        Self { login, ..self }
    }

    /// With what the key must be.
    #[must_use]
    pub const fn key(self, key: KeyPolicy) -> Self {
        Self { key, ..self }
    }

    /// Keeps the PIN, or not.
    #[must_use]
    pub const fn keep_pin(self, keep_pin: bool) -> Self {
        Self { keep_pin, ..self }
    }
}
