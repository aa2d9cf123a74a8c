//! What only one scheme has: FIAM and iSHARE.

pub mod fiam;
pub mod ishare;
