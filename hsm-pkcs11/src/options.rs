//! What whoever opens a key may decide.

use std::time::Duration;

use crate::key::KeyPolicy;
use crate::limits::DEFAULT_WAIT;
use crate::login::LoginPolicy;

/// How a signer is opened. The default is careful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignerOptions {
    /// What a login may cost.
    pub login: LoginPolicy,
    /// What the key must be.
    pub key: KeyPolicy,
    /// Keep the PIN in memory (wiped when the signer goes) and use it for later logins instead of asking
    /// again: after a lost login, and for each signature of a key with `CKA_ALWAYS_AUTHENTICATE`.
    pub keep_pin: bool,
}

/// How a pool is opened. The default is careful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// What a login may cost.
    pub login: LoginPolicy,
    /// What the key must be.
    pub key: KeyPolicy,
    /// As [`SignerOptions::keep_pin`].
    pub keep_pin: bool,
    /// How many signatures can be under way at once. Without it `max-sessions` of the URI says, or else
    /// [`crate::limits::DEFAULT_SESSIONS`]. Never more than the token has, less the one that keeps the
    /// login.
    pub sessions: Option<u32>,
    /// How long to wait for a session when all are in use, and for other threads that log in again.
    pub wait: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            login: LoginPolicy::default(),
            key: KeyPolicy::default(),
            keep_pin: false,
            sessions: None,
            wait: DEFAULT_WAIT,
        }
    }
}

impl PoolOptions {
    pub(crate) const fn signer(&self) -> SignerOptions {
        SignerOptions {
            login: self.login,
            key: self.key,
            keep_pin: self.keep_pin,
        }
    }
}
