//! What only one scheme has: FIAM and iSHARE; and schemes of a user's own.

pub mod fiam;
pub mod ishare;
#[cfg(feature = "profile")]
pub mod own;
