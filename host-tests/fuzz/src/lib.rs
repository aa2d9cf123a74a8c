//! What several targets need.

pub mod pkits;
pub mod tree;
