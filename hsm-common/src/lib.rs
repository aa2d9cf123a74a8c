#![doc = include_str!("../README.md")]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![warn(clippy::missing_errors_doc, unnameable_types)]

mod fitness;
mod input;
mod secret;

mod options;
pub mod uri;

mod file;
mod refused;
#[cfg(feature = "prompt")]
mod terminal;

mod sources;

pub use file::PinFile;
pub use fitness::{FitnessNote, HeldCertificate, KeyPolicy, KeyProperties, KeyUnfit, is_for};
pub use input::SealedInput;
pub use options::SignerOptions;
pub use secret::{
    LoginPolicy, MAX_SECRET, PinState, Secret, SecretProvider, SecretRequest, SecretUnavailable,
};
pub use sources::{PIN_VARIABLE, PinSources, Prompt};
