#![doc = include_str!("../README.md")]
// What only some backends and flows use; the whole crate is checked with all of them.
#![cfg_attr(
    not(all(
        feature = "ciba",
        feature = "login",
        feature = "pkcs11",
        feature = "tracing",
        feature = "yubihsm"
    )),
    allow(unused)
)]

// The floors: each knows those above it in this list and none below.
pub mod base;
pub mod http;
pub mod jose;
pub mod keys;
pub mod oauth;
pub mod oidc;
pub mod pki;
pub mod report;
pub mod schemes;

// A device that signs by itself.
#[cfg(feature = "gateway")]
mod gateway;

// What an application holds.
pub mod client;

// A client as a file describes it.
#[cfg(feature = "profile")]
pub mod profile;

// How things end.
pub mod error;

pub use client::{Client, ClientBuilder, Server};
pub use error::{Error, ErrorKind};
pub use http::{BaseUrl, Http, HttpOptions, RetryPolicy, Roots};
pub use keys::key::{KeySigner, KeyUri, SignerOptions};
pub use oauth::{
    AccessToken, Assertion, AssertionOptions, AssertionSource, Refusal, SigningClient, TokenSource,
};
pub use oidc::discovery::ProviderMetadata;
pub use oidc::provider::Provider;
pub use oidc::provider_keys::ProviderKeys;
pub use pki::certificates::Certificates;
pub use privyseal_core::scheme::{OwnScheme, Scheme, SchemeRules};
pub use privyseal_core::{Signer, UnixTime};
#[cfg(feature = "gateway")]
pub use privyseal_gateway::DeviceUri;
pub use privyseal_hsm::{
    KeyPolicy, LoginPolicy, NewKey, PinSources, Prompt, Secret, SecretProvider,
};
pub use report::self_test;
