//! What a caller that opens a pool may decide.

use std::time::Duration;

use privyseal_hsm::{SignerOptions, options};

use crate::limits::DEFAULT_WAIT;

options! {
    /// How a pool is opened. The default is careful.
    pub struct PoolOptions {
        /// How the key is opened.
        signer: SignerOptions = SignerOptions::default(),
        /// How many signatures can be under way at once. Without it `max-sessions` of the URI says, or else it is
        /// eight. Never more than the token has, less the one that keeps the login.
        sessions: Option<u32> = None,
        /// How long to wait for a session when all are in use, and for other threads that log in again.
        wait: Duration = DEFAULT_WAIT,
    }
}
