//! What an incident may cost: one login at most, no PIN try that nobody asked for, no module taken from
//! others for nothing, and no more time than the pool waits.

// A test stops where something is wrong.
#![allow(clippy::unwrap_used)]

mod foreign;
mod hang;
mod initialize;
mod login;
mod misread;
mod odd_token;
mod refused_pin;
mod stage;
mod unneeded;
