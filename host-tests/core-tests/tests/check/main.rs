//! `check` against everything that can be wrong with a token, one thing at a time; and emission against
//! the same rules.

// A test stops where something is wrong, and says what it saw.
#![allow(
    clippy::unwrap_used,
    clippy::match_same_arms,
    clippy::items_after_statements
)]

mod draft;
mod emission_table;
mod fuzz;
mod matrix;
mod mutations;
mod pki;
mod properties;
mod reasons;
mod receivers;
mod registry;
mod revocation;
mod seeds;
