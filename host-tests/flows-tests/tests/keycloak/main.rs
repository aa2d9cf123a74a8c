//! What Keycloak says to our assertions, and what we make of its answers. One server for all tests; each
//! has a realm of its own.

#![allow(clippy::similar_names, reason = "a stage and a state are called so")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ciba;
mod clocks;
mod command;
mod gateway;
mod keys;
mod login;
mod own_scheme;
mod refresh;
mod stage;
mod tokens;
