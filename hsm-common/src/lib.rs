#![doc = include_str!("../README.md")]

mod input;
mod locked;
mod secret;
mod text;

#[macro_use]
mod declare;
mod fitness;
mod listing;
mod options;
mod provision;
pub mod uri;

mod bounded;
mod environment;
mod file;
mod lock;
mod process_lock;
mod refused;
mod replace;
#[cfg(feature = "prompt")]
mod terminal;

mod pin_sources;

pub use bounded::{is_readable_by_all, read_bounded, read_secret};
pub use environment::{PIN_VARIABLE, take_pin_variable};
pub use file::{PinFile, absolute};
pub use fitness::{FitnessNote, HeldCertificate, KeyPolicy, KeyProperties, KeyUnfit};
pub use input::SealedInput;
pub use listing::{ListedCertificate, ListedKey, Listing, public_key};
pub use lock::lock;
pub use options::SignerOptions;
pub use pin_sources::{PinSources, Prompt};
pub use process_lock::ProcessLock;
pub use provision::NewKey;
pub use replace::{can_replace_file, replace_file};
pub use secret::{
    LoginPolicy, MAX_SECRET, PinState, Secret, SecretOffer, SecretProvider, SecretRequest,
    SecretUnavailable,
};
pub use text::is_invisible;
