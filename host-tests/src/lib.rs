//! One suite for every signer, and everything a test needs around it.
//!
//! - [`pki`]: a throw-away test PKI, root to eSeal-like leaf, with a knob for every rule a chain can break;
//! - [`software_signer`]: a signer without hardware, for tests only;
//! - [`software_unwrapper`]: likewise, for what is encrypted to a key;
//! - [`softhsm`]: a throw-away SoftHSM token;
//! - [`target`]: the token that tests of the PKCS #11 signer run against, SoftHSM's or your own;
//! - [`kryoptic`]: a throw-away token of a second vendor, whose PIN really locks;
//! - [`fault_shim`]: a PKCS #11 module before a real one, which breaks on demand and counts calls;
//! - [`own_process`]: a test in a process of its own, watched over;
//! - [`privyseal`]: the command, freshly built;
//! - [`minter`]: makes tokens with any signer and judges them without the core;
//! - [`suite`]: what every signer must do, written once;
//! - [`device_sim`]: the gateway's firmware on a board without hardware, behind a Unix socket;
//! - [`device_host`]: the other end of its line, which can say anything;
//! - [`loopback`]: an HTTPS server that lives as long as its test;
//! - [`assertion_judge`] and [`token_desk`]: what an authorization server does with client assertions, sharing
//!   no code with the core;
//! - [`fiam_server`]: an authorization server in the shape of FIAM's;
//! - [`ishare_server`]: a participant registry in the shape of iSHARE's, which can be told to lie;
//! - [`bad_server`]: a server that misbehaves, byte by byte;
//! - [`flow`]: a client with its token, and runs of the command;
//! - [`keycloak`]: a Keycloak on loopback, one for all tests of a program;
//! - [`https`]: a client of the test servers that can say anything;
//! - [`yubihsm_sim`]: a YubiHSM 2 behind a connector, in memory, which can misbehave;
//! - [`python`]: the interpreter with PyJWT, a judge in another language;
//! - [`openssl`]: encrypts as a sender would;
//! - [`firmware`], [`emulator`] and [`gateway`]: the gateway's images, QEMU with one of them, and a client;
//! - [`oidc_provider`] and [`node`]: node-oidc-provider, dressed as itsme, and a JOSE library;
//! - [`decode`]: takes tokens apart without the core;
//! - [`scratch`] and [`tool`]: places under `target/`, and the tools of the system.
//!
//! Never published. Functions of fixtures panic with a message when the machine lacks something: a
//! missing tool is a failed test, never a skipped one.

// Test machinery: it stops where something is wrong, and is read more often than it is run.
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::large_stack_arrays,
    clippy::match_same_arms,
    clippy::missing_panics_doc,
    clippy::needless_for_each,
    clippy::return_self_not_must_use,
    clippy::too_many_lines,
    clippy::unnecessary_wraps,
    clippy::unwrap_used
)]

pub mod assertion_judge;
pub mod bad_server;
pub mod decode;
pub mod device_host;
pub mod device_sim;
pub mod emulator;
pub mod fault_shim;
pub mod fiam_server;
pub mod firmware;
pub mod flow;
pub mod gateway;
pub mod https;
pub mod ishare_server;
pub mod keycloak;
pub mod kryoptic;
pub mod loopback;
pub mod minter;
pub mod node;
pub mod oidc_provider;
pub mod openssl;
pub mod own_process;
pub mod pki;
pub mod privyseal;
pub mod python;
pub mod scratch;
pub mod softhsm;
pub mod software_signer;
pub mod software_unwrapper;
pub mod suite;
pub mod target;
pub mod token_desk;
pub mod tool;
pub mod yubihsm_sim;
