#![doc = include_str!("../README.md")]

// From the ground up: each module imports only from those above it.
mod kept_pin;
mod limits;
mod timed_lock;
mod uri;
mod watch;

mod error;

// From the URI to a token.
mod raw;

mod module;
mod session;
mod slot;

mod login;
mod token;

// From the token to a key, its chain and the mechanism that works.
mod mechanism;
mod object;

mod certificate;
mod key;
mod options;

// What all that is for.
mod access;
mod list;
mod module_info;
mod pool;
pub mod provision;
mod signer;

pub use error::{CallError, CertificateError, Error, SelectError};
pub use list::{list, list_public};
pub use mechanism::{RsaPkcsOaep, SigningMechanism};
pub use module::configured_modules;
pub use module_info::{ModuleInfo, SlotInfo, module_info};
pub use options::PoolOptions;
pub use pool::{Pkcs11Pool, PooledSigner};
pub use privyseal_hsm::{LoginPolicy, SignerOptions};
pub use signer::{Pkcs11Key, Pkcs11Signer, Pkcs11Unwrapper};
pub use slot::{TokenInfo, try_modules_by};
pub use uri::{ObjectType, Pkcs11Uri};
pub use watch::{ModuleTrouble, is_module_called, on_module_trouble};
