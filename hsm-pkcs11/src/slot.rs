//! Slots and the tokens in them: which one does a URI mean?

mod scan;
mod token_info;

pub(crate) use scan::{FoundToken, look, matching_token, none_is_read, select};
pub use token_info::TokenInfo;
