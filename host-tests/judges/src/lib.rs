//! Judges of tokens that share no code with the core.
//!
//! - [`assertion_judge`]: judges client assertions as an authorization server does;
//! - [`decode`]: takes tokens apart;
//! - [`python`]: the interpreter with PyJWT, a judge in another language;
//! - [`node`]: a JOSE library in a third;
//! - [`java`]: Nimbus, in a fourth;
//! - [`openssl`]: encrypts as a sender would.

#![allow(
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    reason = "for tests, which nobody links to"
)]

pub mod assertion_judge;
pub mod decode;
pub mod java;
pub mod node;
pub mod openssl;
pub mod python;
