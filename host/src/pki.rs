//! Whose key it is: certificates, chains, revocation lists.

pub mod certificates;
pub mod crl;
mod crl_error;
pub mod distinguished_name;
pub mod error;
pub mod links;
pub mod ocsp;
pub mod party_id;
pub mod path;
pub mod pem;
pub mod revocation;
pub(crate) mod signature;
mod status;
pub mod validation;

pub use certificates::Certificates;
pub use error::PkiError;
