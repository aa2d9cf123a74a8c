//! OpenID Connect: the provider, its keys, CIBA.

pub mod ciba;
pub mod discovery;
pub mod provider;
pub mod provider_keys;
