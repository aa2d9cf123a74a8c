//! A throw-away PKI in the shape of an eIDAS one: root, sub CA, issuing CA, and an eSeal-like leaf; all
//! RSA, all `sha256WithRSAEncryption`.
//!
//! [`TestPki::new`] makes a good one. Whatever a test wants to be wrong it says in a
//! [`CertificateSpec`], and issues that certificate with [`Authority::issue`].

#![allow(
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    reason = "for tests, which nobody links to"
)]

mod authority;
mod certificate;
pub mod der;
mod key;
pub mod pkits;
mod revocation;

pub use authority::{Authority, TestPki, pem_chain, spki_from_pem};
pub use certificate::{CertificateSpec, Usage, Validity};
pub use key::{TestKey, test_key};
