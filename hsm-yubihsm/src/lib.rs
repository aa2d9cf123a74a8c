#![doc = include_str!("../README.md")]

// From the ground up: each module imports only from those above it.
mod limits;
mod uri;

mod error;

// From the URI to a device: one client per process, every call bounded.
mod connector;
mod worker;

mod device;

// From the device to a key and its chain.
mod key;

mod attestation;
mod certificate;

// What all that is for.
pub mod audit;
mod list;
pub mod provision;
mod signer;
mod unwrapper;

pub use attestation::{Attestation, AttestedKey};
pub use device::{Device, DeviceInfo};
pub use error::{CallError, CertificateError, DeviceCode, Error};
pub use key::{Capabilities, KeyFacts};
pub use list::list;
pub use privyseal_hsm::SignerOptions;
pub use signer::YubihsmSigner;
pub use unwrapper::YubihsmUnwrapper;
pub use uri::{Endpoint, YubihsmUri};
