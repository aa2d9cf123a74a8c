#![doc = include_str!("../README.md")]

// Where the key is, and what opens it.
pub mod limits;
mod pin;
mod uri;

// From the URI to a token.
mod login;
mod module;
mod raw;
mod session;
mod slot;
mod token;

// From the token to a key, its chain and the mechanism that signs.
mod certificate;
mod key;
mod mechanism;
mod object;

// What all that is for.
mod access;
mod list;
mod module_info;
mod operation;
mod options;
mod pool;
mod signer;
mod timed_mutex;
mod unwrapper;

mod error;

pub use error::{CallError, CertificateError, Error, KeyError, SelectError};
pub use key::{FitnessNote, KeyPolicy};
pub use list::{Listed, ListedCertificate, ListedKey, list};
pub use login::LoginPolicy;
pub use mechanism::SigningMechanism;
pub use module_info::{Survey, SurveyedSlot, survey};
pub use options::{PoolOptions, SignerOptions};
pub use pin::{Pin, PinProvider, PinUnavailable};
pub use pool::{Pkcs11Pool, PooledSigner};
pub use signer::Pkcs11Signer;
pub use slot::{PinState, TokenInfo};
pub use unwrapper::Pkcs11Unwrapper;
pub use uri::{Attribute, ObjectType, Pkcs11Uri, UriError, UriFault, UriPlace};
