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

#[cfg(any(test, feature = "fake"))]
extern crate std;

// What a board must have, and what runs on it.
mod board;
mod device;
pub mod first_stage;

// What the device keeps: in RAM, and in the flash.
mod at_rest;
mod guarded;
pub mod journal;
mod keyed;
mod limits;
mod vault;

// What it is made of.
mod drbg;
mod flash;
mod jti;
mod link;
mod numbers;
mod signals;

// A board without hardware.
#[cfg(any(test, feature = "fake"))]
pub mod fake;

pub use board::{Board, MAX_PROTECTED, PAGE};
pub use device::Device;

/// Bytes of flash that [`Board::provision`] must have.
pub const PROVISION_LEN: u32 = 56 * 1024;

/// Bytes of flash that [`Board::secrets`] must have.
pub const SECRETS_LEN: u32 = 2 * 1024;

/// The most bytes that [`Board::provision`] and [`Board::journal`] may insist on writing at once
/// (`WRITE_SIZE`), a power of two.
pub const MAX_WRITE: usize = 32;

/// Runs the device: never returns.
pub fn run<B: Board>(board: B) -> ! {
    let mut device = Device::new(board);
    device.start();
    loop {
        device.poll();
    }
}
