//! Where the key is, and what opens it.

mod error;
pub mod key;
mod shared;

pub use error::{KeyError, KeyUriError, SignerFailure};
pub use shared::SharedUnwrapper;
