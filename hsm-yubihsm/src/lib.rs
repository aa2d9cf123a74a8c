#![doc = include_str!("../README.md")]

// Where the key is, and what opens it.
pub mod limits;
mod password;
mod uri;

// From the URI to a device: one client per process, every call bounded.
mod connector;
mod device;
mod worker;

// From the device to a key and its chain.
mod attestation;
mod certificate;
mod key;

// What all that is for.
pub mod audit;
mod list;
pub mod provision;
mod signer;

mod error;

pub use attestation::Attestation;
pub use device::{Device, DeviceInfo};
pub use error::{CallError, CertificateError, DeviceCode, Error, KeyError};
pub use key::{Capabilities, FitnessNote, KeyFacts};
pub use list::{ListedCertificate, ListedKey, Listing, list};
pub use password::{Password, PasswordProvider, PasswordRequest, PasswordUnavailable};
pub use signer::YubihsmSigner;
pub use uri::{Attribute, Endpoint, UriError, UriFault, UriPlace, YubihsmUri};
