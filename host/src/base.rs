//! What everything else stands on: clock, randomness, files of bounded size, text for display, sealing.

pub mod clock;
pub mod display;
pub mod entropy;
pub mod error;
pub(crate) mod events;
pub mod file;
pub mod runtime;
#[cfg(feature = "jwe")]
pub mod seal;
#[cfg(feature = "profile")]
pub mod toml;

pub use error::BaseError;
