//! The gateway: the firmware's own code on a board without hardware, asked over its line.

#![allow(clippy::large_stack_arrays)] // A device is large, and a test has stack enough for two.

mod at_rest;
mod commit;
mod fixture;
mod generating;
mod log;
mod power_cuts;
mod protocol;
mod provisioning;
mod renewing;
mod rules;
mod secrets;
mod sim;
mod statements;
mod tokens;
mod unwrapping;
mod updating;
