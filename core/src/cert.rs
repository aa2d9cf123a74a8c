//! X.509 certificates, read where they lie: borrowed from their DER, without a heap (RFC 5280).
//!
//! The core reads what a client assertion depends on: names, validity, the RSA key, key usage and basic
//! constraints; and it proves chains of RSA signatures. What it does not know and must not ignore (an
//! unknown critical extension, an algorithm it cannot verify) is an error.

pub mod certificate;
pub mod chain;
mod chain_error;
mod clock;
pub mod error;
pub mod extensions;
pub mod link;
pub mod name;
pub mod oid;
mod order;
mod prover;
#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use chain::{Chain, ProvenChain, Validity};
pub use chain_error::ChainError;
pub use clock::ClockError;
pub(crate) use clock::check_clock_is_set;
pub use error::CertificateError;
pub use extensions::{BasicConstraints, KeyUsage, KeyUsages};
pub use link::{LinkError, RsaLinks, VerifyLink};
pub use name::Name;
pub use prover::Prover;
