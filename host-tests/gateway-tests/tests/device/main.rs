//! The gateway: the firmware's own code on a board without hardware, asked over its line.

mod commit;
mod fixture;
mod generating;
mod log;
mod power_cuts;
mod protocol;
mod provisioning;
mod rules;
mod secrets;
mod sim;
mod tokens;
