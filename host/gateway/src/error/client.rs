//! Why a gateway is not a client.

use privyseal_core::cert::ChainError;
use privyseal_core::field::FieldError;
use thiserror::Error;

use super::DeviceError;

/// Why a device is not the client that was meant, or gives no assertion.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The device or its line.
    #[error("{0}")]
    Device(#[from] DeviceError),
    /// The core refuses what was asked for.
    #[error("{0}")]
    Core(#[from] privyseal_core::Error),
    /// The device was not provisioned for the scheme.
    #[error("the device was not provisioned for {scheme}; it serves {served}")]
    Scheme {
        /// The scheme's name.
        scheme: &'static str,
        /// The names of those that it serves.
        served: String,
    },
    /// The policy has several schemes of users' own that this may be.
    #[error(
        "the device was provisioned for several schemes of the form of {scheme}; client id and kid must say which"
    )]
    Several {
        /// The scheme's name.
        scheme: &'static str,
    },
    /// The device was provisioned with another client id.
    #[error("the device was provisioned with the client id {provisioned}, not with {expected}")]
    ClientId {
        /// What the caller expects.
        expected: String,
        /// What the device has.
        provisioned: String,
    },
    /// The device was provisioned with another `kid`.
    #[error("the device was provisioned with the kid {provisioned}, not with {expected}")]
    Kid {
        /// What the caller expects.
        expected: String,
        /// What the device has.
        provisioned: String,
    },
    /// The device was provisioned with another certificate chain.
    #[error("the device signs for another certificate chain")]
    Chain,
    /// A `kid` is expected of a scheme that sends its chain.
    #[error("{title} sends its certificate chain and no kid")]
    NeedlessKid {
        /// The scheme, in words.
        title: &'static str,
    },
    /// A chain is expected of a scheme that names its key by `kid`.
    #[error("{title} names its key by kid and sends no certificate chain")]
    NeedlessChain {
        /// The scheme, in words.
        title: &'static str,
    },
}

privyseal_hsm::by_way! { privyseal_core::Error => ClientError: FieldError, ChainError; }
