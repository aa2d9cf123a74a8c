#![doc = include_str!("../README.md")]

// Where the key and its PIN are.
pub mod key;
pub mod key_report;
pub mod kid_form;
pub mod pin;

// A device that signs by itself.
pub mod device;

// Whose key it is.
pub mod certificates;
pub mod chain_report;
pub mod crl;
pub mod links;
pub mod party_id;

// The public half of a key, for others.
pub mod distinguished_name;
pub mod jwks;
pub mod pem;

// One assertion, and what it is for.
pub mod access_token;
pub mod audience;
pub mod ciba;
pub mod client;
pub mod clock;
pub mod entropy;
pub mod pace;
pub mod retry;
pub mod token_source;

// What else a scheme's servers offer.
pub mod fiam;
pub mod ishare;

// Whether all of it works.
pub mod doctor;
pub mod self_test;

// Whom to ask, and how to know its signature.
pub mod discovery;
pub mod jws;
pub mod provider;
pub mod provider_keys;

// A finished token, of whoever made it.
pub mod key_set;
pub mod token_report;

// The way to the server, and what it answers.
pub mod http;
pub mod jwe;
pub mod refusal;
pub mod server_text;

// How things end.
pub mod error;
pub mod exit;

pub use access_token::AccessToken;
pub use certificates::Certificates;
pub use client::{AssertionOptions, AssertionSource, Client};
pub use device::DeviceUri;
pub use discovery::ProviderMetadata;
pub use error::Error;
pub use exit::Exit;
pub use http::{BaseUrl, Http, HttpOptions, Roots};
pub use key::{AccessPolicy, KeySigner, KeyUri};
pub use pin::{PinSources, Prompt};
pub use privyseal_core::{Scheme, Signer, UnixTime};
pub use privyseal_pkcs11::{KeyPolicy, LoginPolicy};
pub use provider::Provider;
pub use provider_keys::ProviderKeys;
pub use refusal::Refusal;
pub use retry::RetryPolicy;
pub use self_test::self_test;
pub use token_source::TokenSource;
