#![no_std]
#![forbid(unsafe_code)]
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

pub mod authority;
pub mod crc;
pub mod frame;
pub mod image;
pub mod log;
pub mod policy;
pub mod refusal;
pub mod request;
pub mod response;
pub mod statement;

pub use frame::{FrameDecoder, Message, write_frame};
pub use image::ImageHeader;
pub use log::{Entry, Event};
pub use policy::{AllowedAudience, Policy, PolicyError, Rate, SchemeId, SchemePolicy};
pub use refusal::{DeviceState, FrameError, ImageFault, PartFault, Refusal};
pub use request::{
    CsrRequest, Generate, Part, Provision, Request, SignRequest, SubjectPart, Totals, UnlockSecret,
};
pub use response::{AtRest, Generation, Info, Origin, ReadOut, Response};
pub use statement::{Content, Statement};

/// The version of the protocol that is described here, the first byte of every message.
pub const PROTOCOL: u8 = 7;

/// A message: version, id and body. The longest request has a ciphertext as long as the modulus of RSA-4096.
pub const MAX_MESSAGE: usize = 520;

/// Bytes of every [`Provision::Chunk`] but the last of a part. A multiple of what any flash writes at once.
pub const CHUNK: usize = 256;

/// Bytes of a part that one [`Response::Data`] or [`Response::Token`] brings at most.
pub const MAX_DATA: usize = 384;

/// The encoding of a [`Content`], at most: an authentication request with the longest of everything, and its login hint.
pub const MAX_COMPOSED: usize = 10 * 1024;

/// A device's id: 96 bits, as many as a microcontroller's own number has.
pub type DeviceId = [u8; 12];

/// Bytes of a caller's nonce: it comes back at the end of the `jti`.
pub const NONCE_LEN: usize = 8;

/// Bits of the modulus of a device's key: what it takes and what it makes.
pub const KEY_BITS: [u16; 3] = [2048, 3072, 4096];

/// The private key: its modulus and its two primes, big-endian, `bits / 4` bytes in all.
pub const MAX_KEY: usize = 1024;

/// The policy in postcard's encoding.
pub const MAX_POLICY: usize = 4096;

/// The seed of the device's random generator, at least: 256 bits, and half as many for the nonce (NIST SP
/// 800-90A section 8.6.7).
pub const MIN_SEED: usize = 48;

/// The seed, at most.
pub const MAX_SEED: usize = 64;

/// Bytes of the secret that unlocks a device.
pub const UNLOCK_LEN: usize = 32;

/// Seconds by which a host's clock may be behind a device's time floor: such a request is served at the floor.
pub const MAX_BEHIND_SECONDS: u64 = 5;
