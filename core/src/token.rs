//! What an assertion is for: the members of the request's form out, the JSON response in. Without a heap; who sends
//! the bytes is the caller's business.

pub mod request;
pub mod response;
pub mod text;

pub use response::{ErrorResponse, ResponseError, TokenResponse};
pub use text::{JsonText, Secret};
