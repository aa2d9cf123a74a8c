//! What a caller that opens a pool may decide.

use std::time::Duration;

use privyseal_hsm::SignerOptions;

use crate::limits::DEFAULT_WAIT;

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
