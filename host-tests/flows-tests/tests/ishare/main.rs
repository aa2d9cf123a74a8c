//! iSHARE's participant registry: what is believed of it, and why the rest is not.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

mod answers;
mod command;
mod human;
mod inbound;
mod parties;
mod revoked;
mod stage;
