//! Slots and the tokens in them: which one does a URI mean?

mod scan;
mod token_info;

pub(crate) use scan::{FoundToken, look, meant, select};
pub use token_info::{PinState, TokenInfo};
