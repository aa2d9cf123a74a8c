//! A receiver beside a registry: what it accepts, and each sentence of the schemes that it refuses by.

mod accepted;
mod caches;
mod command;
mod corpus;
mod http;
mod kinds;
mod refused;
mod server;
mod shared_store;
mod stage;
mod tokens;
