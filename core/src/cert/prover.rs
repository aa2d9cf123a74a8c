//! Whose proof of a chain is enough to sign with it.
//!
//! Beside `credential/stable.rs` the only place of the core with the word `unsafe`: a marker that safe code cannot put on
//! itself. No unsafe operation is done here or behind it. A sealed trait would be the other way; it would shut out the
//! project's own verifier of links that are not RSA, which needs a heap and lives in another crate.

#![allow(unsafe_code)]

use super::link::{RsaLinks, VerifyLink};

/// A verifier whose word is enough for a chain that signs: [`crate::Credential::new`] takes no other's proof.
///
/// Any type may be a [`VerifyLink`], and judge chains for itself. One that says yes to everything must not get its
/// chain into tokens, so it takes more than safe Rust to be a prover.
///
/// # Safety
/// [`VerifyLink::verify`] succeeds only where the issuer's key made the signature, and
/// [`VerifyLink::constraints_hold`] says so only of constraints that do. No memory depends on it: what is
/// signed and sent does.
pub unsafe trait Prover: VerifyLink {}

// SAFETY: it verifies with the core's own arithmetic, and knows no other success.
unsafe impl Prover for RsaLinks {}
