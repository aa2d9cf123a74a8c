//! Gateways: devices that build and sign assertions by themselves, under a policy that was locked in with
//! the key.
//!
//! A signer signs what the core in this process built. A device is given typed fields and makes the rest;
//! what it gives back is not believed. [`DeviceClient`] builds, with the core's own rules, the assertion
//! that was asked for, compares every byte, verifies the signature, and gives out its own copy. [`Device`]
//! has the other requests of the protocol (`privyseal_protocol`): what it is, its log, provisioning,
//! the time, the wipe.

// Which device, and how bytes get there.
mod exchange;
mod hex;
mod line;
pub mod uri;

// What is asked and answered.
pub mod error;
pub mod gateway;
pub mod info;
pub mod log;

// Its key, and what the key signs.
pub mod client;
pub mod key;

// How the key gets there.
pub mod pkcs8;
pub mod policy;
pub mod provision;

pub use client::{DeviceClient, Expected};
pub use error::DeviceError;
pub use gateway::{Device, Limits};
pub use info::DeviceInfo;
pub use key::DeviceKey;
pub use log::DeviceLog;
pub use pkcs8::PrivateKey;
pub use policy::GatewayPolicy;
pub use provision::{Package, Progress};
pub use uri::{DeviceUri, DeviceUriError};

#[cfg(test)]
mod tests;

/// The 32 bytes of 64 hexadecimal digits: a digest or the head of a log, as it was pasted.
pub fn digest_from_hex(text: &str) -> Option<[u8; 32]> {
    hex::decode(text)
}
