//! The signer against SoftHSM, with tokens, keys and a CA of its own. Nothing is skipped: without
//! SoftHSM these tests fail and say what to install.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chain;
mod decrypt;
mod fixture;
mod list;
mod login;
mod select;
mod sign;
