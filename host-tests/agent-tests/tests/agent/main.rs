//! The agent with a real token: who is served, what is written down, and what holds when something fails.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

mod clients;
mod faults;
mod http;
mod life;
mod openapi;
mod package;
mod profiles;
mod refuses;
mod serves;
mod soak;
mod stage;
