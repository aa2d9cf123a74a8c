//! Where the key is, and what opens it.

mod error;
pub mod key;

pub use error::{KeyError, KeyUriError, SignerFailure};
