//! Servers on loopback that live as long as their test.
//!
//! - [`loopback`]: an HTTPS server;
//! - [`token_desk`]: what an authorization server does with client assertions once they are judged;
//! - [`fiam_server`]: an authorization server in the shape of FIAM's;
//! - [`ishare_server`]: a participant registry in the shape of iSHARE's, which can be told to lie;
//! - [`bad_server`]: a server that misbehaves, byte by byte;
//! - [`oidc_provider`]: node-oidc-provider, dressed as itsme;
//! - [`authlib`]: Authlib's authorization server;
//! - [`keycloak`]: a Keycloak, one for all tests of a program;
//! - [`browser`]: a person's browser;
//! - [`relying_party`]: openid-client, another client of the same provider;
//! - [`redis_server`]: what several receivers share;
//! - [`https`]: a client of the test servers that can say anything.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    reason = "for tests, which nobody links to"
)]
#![allow(clippy::match_same_arms)] // A table of replies.

mod announced;
pub mod authlib;
pub mod bad_server;
pub mod browser;
pub mod fiam_server;
pub mod https;
pub mod ishare_server;
pub mod keycloak;
pub mod loopback;
pub mod oidc_provider;
pub mod redis_server;
pub mod relying_party;
pub mod token_desk;
