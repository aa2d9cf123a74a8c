//! What is signed and encrypted: JWS, JWE, JWK.

pub mod error;
#[cfg(feature = "jwe")]
pub mod jwe;
pub mod jwk;
pub mod jws;

pub use error::{JoseError, JoseFault};
