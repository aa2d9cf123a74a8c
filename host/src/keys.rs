//! Where the key is, and what opens it.

pub mod key;
