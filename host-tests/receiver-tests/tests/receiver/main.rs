//! A receiver beside a registry: what it accepts, and each sentence of the schemes that it refuses by.
#![allow(clippy::unwrap_used)] // A test stops where something is wrong.
#![allow(clippy::semicolon_if_nothing_returned, clippy::type_complexity)] // Tables of changes.

mod accepted;
mod caches;
mod command;
mod corpus;
mod hostile;
mod http;
mod inbound;
mod kinds;
mod listed;
mod load;
mod refused;
mod sentences;
mod server;
mod shared_store;
mod slow;
mod stage;
mod stored_tokens;
mod tokens;
