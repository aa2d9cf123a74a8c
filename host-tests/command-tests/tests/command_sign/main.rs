//! `privyseal sign` from outside: a process, its arguments, its two streams and its exit code.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

mod accepted;
mod ill_behaved;
mod key_refused;
mod rule_refused;
mod stage;
