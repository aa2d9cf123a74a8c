//! Devices without hardware, a feature each.
//!
//! - `device`: [`device_sim`], the gateway's firmware behind a Unix socket, and [`device_host`], the other end
//!   of its line, which can say anything;
//! - `emulator`: [`firmware`] and [`emulator`], the gateway's images and QEMU with one of them, and [`gateway`],
//!   a client;
//! - both: [`link`], what the two ends of a line share;
//! - `yubihsm`: [`yubihsm_sim`], a YubiHSM 2 behind a connector, which can misbehave.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    reason = "for tests, which nobody links to"
)]
// Test machinery: it is read more often than it is run.
#![allow(
    clippy::large_stack_arrays,
    clippy::match_same_arms,
    clippy::too_many_lines,
    clippy::unnecessary_wraps
)]

#[cfg(feature = "device")]
pub mod device_host;
#[cfg(feature = "device")]
pub mod device_sim;
#[cfg(feature = "emulator")]
pub mod emulator;
#[cfg(feature = "emulator")]
pub mod firmware;
#[cfg(feature = "emulator")]
pub mod gateway;
#[cfg(any(feature = "device", feature = "emulator"))]
pub mod link;
#[cfg(feature = "yubihsm")]
pub mod yubihsm_sim;
