//! What several targets need.

pub mod pkits;
pub mod server;
pub mod tree;
