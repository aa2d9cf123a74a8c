//! `check` against everything that can be wrong with a token, one thing at a time; and emission against
//! the same rules.

mod draft;
mod emission_table;
mod fuzz;
mod matrix;
mod mutations;
mod pki;
mod properties;
mod receivers;
mod revocation;
mod seeds;
