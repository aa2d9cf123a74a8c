//! Slots and the tokens in them: which one does a URI mean?

mod scan;
mod search;
mod token_info;

pub(crate) use scan::{FoundToken, is_softhsm, look, matching_token, select};
pub(crate) use search::module_of;
pub use search::try_modules_by;
pub use token_info::TokenInfo;
