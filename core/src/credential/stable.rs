//! Bytes that a caller's own type gives out, and that never change.
//!
//! Beside `cert/prover.rs` the only place of the core with the word `unsafe`: a marker that safe code cannot put on
//! itself. No unsafe operation is done here or behind it. A gateway needs it: its headers lie in flash, which a value
//! of its own keeps from being erased.

#![allow(unsafe_code)]

/// Bytes that are the same each time they are looked at, as long as the value lives.
///
/// # Safety
/// `as_ref` gives the same bytes always. No memory of the core depends on it: what is signed and sent does, since a header is
/// hashed once and sent later.
pub unsafe trait StableBytes: AsRef<[u8]> {}
