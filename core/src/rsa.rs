//! RSA with public data only: keys, signatures, and PKCS#1 v1.5 verification (RFC 8017 section 8.2.2).
//!
//! Nothing here knows a private key, so nothing here has to run in constant time. The arithmetic is on
//! fixed-size integers of 2048, 3072 and 4096 bits, with no heap.

pub mod digest;
pub mod key;
mod montgomery;
pub mod signature;
pub mod spki;
pub mod verify;

pub use digest::Digest;
pub use key::{KeyError, RsaPublicKey};
pub use signature::{Signature, SignatureError};
pub use verify::VerifyingKey;
