//! OpenID Connect: the provider, its keys, CIBA.

#[cfg(feature = "ciba")]
pub mod ciba;
pub mod discovery;
mod error;
pub mod provider;
pub mod provider_keys;

pub use error::OidcError;
