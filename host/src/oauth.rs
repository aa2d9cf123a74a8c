//! Assertions, token requests and what comes back: RFC 6749, RFC 7523.

pub mod access_token;
pub mod audience;
pub mod client;
pub mod refusal;
pub mod retry;
pub mod token_source;
