//! What a caller that opens a key may decide.

use std::time::Duration;

use privyseal_hsm::{KeyPolicy, LoginPolicy};

use crate::limits::DEFAULT_WAIT;

/// How a signer is opened. The default is careful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct PoolOptions {
    /// How the key is opened.
    pub signer: SignerOptions,
    /// How many signatures can be under way at once. Without it `max-sessions` of the URI says, or else
    /// [`crate::limits::DEFAULT_SESSIONS`]. Never more than the token has, less the one that keeps the
    /// login.
    pub sessions: Option<u32>,
    /// How long to wait for a session when all are in use, and for other threads that log in again.
    pub wait: Duration,
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

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            signer: SignerOptions::default(),
            sessions: None,
            wait: DEFAULT_WAIT,
        }
    }
}

impl PoolOptions {
    /// With how the key is opened.
    #[must_use]
    pub const fn signer(self, signer: SignerOptions) -> Self {
        Self { signer, ..self }
    }

    /// With this many sessions at most.
    #[must_use]
    pub const fn sessions(self, sessions: u32) -> Self {
        Self {
            sessions: Some(sessions),
            ..self
        }
    }

    /// With how long to wait.
    #[must_use]
    pub const fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }
}
