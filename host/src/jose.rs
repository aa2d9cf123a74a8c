//! What is signed and encrypted: JWS, JWE, JWK Set.

pub mod jwe;
pub mod jwks;
pub mod jws;
pub mod key_set;
pub mod kid_form;
