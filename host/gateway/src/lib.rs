#![doc = include_str!("../README.md")]

// Which device, and how bytes get there.
mod exchange;
mod hex;
#[cfg_attr(not(unix), path = "no_line.rs")]
mod line;
pub mod uri;

// What is asked and answered.
mod device;
pub mod error;
mod info;
mod log;
mod moment;

// Its key, and what the key signs.
pub mod client;
mod key;

// How the key gets there.
pub mod policy;
pub mod private_key;
pub mod provision;
mod unlock;
pub mod update;

pub use client::{DeviceClient, Expected};
pub use device::{Device, Limits};
pub use error::{ClientError, DeviceError, PackageError};
pub use info::DeviceInfo;
pub use key::DeviceKey;
pub use log::DeviceLog;
pub use policy::{GatewayPolicy, PolicyFileError};
pub use private_key::{PrivateKey, PrivateKeyError};
pub use provision::{Package, Progress};
pub use unlock::{UnlockSecret, UnlockSecretError};
pub use update::{ImageError, SignedImage};
pub use uri::DeviceUri;

#[cfg(test)]
mod tests;

/// The 32 bytes of 64 hexadecimal digits: a digest or the head of a log, as it was pasted.
pub fn digest_from_hex(text: &str) -> Option<[u8; 32]> {
    hex::decode(text)
}
