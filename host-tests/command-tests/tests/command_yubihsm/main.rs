//! The command with a `yubihsm:` key, against the simulator.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod rest;
mod sign;
