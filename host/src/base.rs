//! What everything else stands on: clock, randomness, text for display.

pub mod clock;
pub mod entropy;
pub mod pace;
pub mod server_text;
