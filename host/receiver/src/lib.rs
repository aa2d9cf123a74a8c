#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "async")]
mod asynchronous;
mod cache;
mod clients;
mod form;
mod inbound;
mod links;
mod party;
mod receiver;
mod registry;
mod rejection;
pub mod replay;
mod revocation;
#[cfg(feature = "server")]
pub mod server;
mod shares;
mod verify;

#[cfg(feature = "async")]
pub use asynchronous::AsyncReceiver;
pub use cache::CachePolicy;
pub use clients::RegisteredClients;
pub use form::TokenForm;
pub use inbound::judge_assertion;
pub use party::VerifiedParty;
pub use receiver::{BuildError, Receiver, ReceiverBuilder};
pub use registry::{ClientRegistry, RegistrySource};
pub use rejection::{Rejection, Rule};
pub use revocation::Revocation;
pub use verify::{
    TokenKind, VerifiedToken, Wanted, verify_delegation, verify_introspection, verify_token,
};
