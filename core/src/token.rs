//! What an assertion is for: the token request's form body out, the JSON response in. Still without a
//! heap, so that a gateway can do it too; who sends the bytes is the caller's business.

pub mod request;
pub mod response;
pub mod text;

pub use request::TokenRequest;
pub use response::{ErrorResponse, ResponseError, TokenResponse};
pub use text::{JsonText, Secret};
