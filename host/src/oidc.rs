//! OpenID Connect: the provider, its keys, the login of a person, CIBA.

#[cfg(feature = "ciba")]
pub mod ciba;
#[cfg(any(feature = "ciba", feature = "login"))]
mod decryption;
pub mod discovery;
mod error;
mod id_token;
#[cfg(any(feature = "ciba", feature = "login"))]
pub mod listener;
#[cfg(feature = "login")]
pub mod login;
pub mod provider;
pub mod provider_keys;
#[cfg(any(feature = "ciba", feature = "login"))]
mod relying_party;
pub mod rotation;

pub use error::OidcError;
#[cfg(any(feature = "ciba", feature = "login"))]
pub use relying_party::RelyingParty;
