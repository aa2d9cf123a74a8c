#![no_std]
#![cfg_attr(not(all(feature = "umaal", target_arch = "arm")), forbid(unsafe_code))]
#![warn(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]
#![doc = include_str!("../README.md")]

#[cfg(test)]
extern crate std;

// What a device uses.
mod engine;
mod error;
mod generate;
mod key;
mod sizes;

// What a signature is made of, in the order of its making, and what a content key is taken out of.
mod blinding;
mod crt;
mod encoding;
mod oaep;
mod prime;

// Arithmetic, from the outside in.
#[cfg(all(feature = "measure", feature = "umaal", target_arch = "arm"))]
mod agreement;
mod kernel;
mod limbs;
mod modulus;
mod power;

#[cfg(test)]
mod tests;

#[cfg(all(feature = "measure", feature = "umaal", target_arch = "arm"))]
pub use agreement::kernels_agree;
pub use engine::Engine;
#[cfg(feature = "measure")]
pub use engine::Phase;
pub use error::{GenerateError, KeyError, Prime, SignError};
pub use generate::{Generator, Progress};
pub use key::PrivateKey;
pub use sizes::{AnyEngine, AnyGenerator};

/// Bytes of the largest modulus, and of the longest signature: RSA-4096.
pub const MAX_MODULUS_LEN: usize = 512;
/// Bytes of a SHA-256 digest.
pub const DIGEST_LEN: usize = 32;
/// The public exponent of every key here.
pub const PUBLIC_EXPONENT: u32 = 65_537;
