//! Where the key and its PIN are.

pub mod key;
pub mod pin;
