#![no_std]
#![deny(unsafe_code)]
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

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

#[macro_use]
mod named;

// The rules, as data.
pub mod limits;
pub mod scheme;

// What goes in, validated once.
pub mod field;
pub mod id;
pub mod kid;
pub mod time;

// Whose key: certificates, and what is constant for all of a key's assertions.
pub mod cert;
pub mod credential;
pub mod rsa;

// One assertion: payload, sealed input, signature, token.
pub mod jws;
pub mod payload;
pub mod signer;
pub mod signing_input;

// The one other thing that a key may sign.
pub mod csr;

// What others encrypt to a key.
pub mod unwrapper;

// What the token is for.
pub mod token;

// How all of it is written.
#[doc(hidden)]
pub mod asn1;
pub mod encoding;
pub mod error;

pub use credential::{AssertionRequest, Credential};
pub use csr::{CertificationRequest, CertificationRequestInfo};
pub use error::{AttachError, Error, SignError};
pub use id::{Audience, ClientId, Jti, JtiBuf};
pub use jws::CompactJws;
pub use rsa::{RsaPublicKey, Signature};
pub use scheme::{OwnScheme, Scheme, SchemeRules};
pub use signer::{CertificationRequestSigner, Signer, SignerError, SignerErrorKind};
pub use signing_input::SigningInput;
pub use time::UnixTime;
pub use unwrapper::{KeyEncryption, Unwrapper};
