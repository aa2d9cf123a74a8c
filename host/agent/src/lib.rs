#![doc = include_str!("../README.md")]

// What is written down before an assertion leaves.
pub mod audit;

// What is served, and to which users.
mod config;
mod error;
mod metrics;
mod pins;
mod served;

mod agent;

// HTTP.
mod problem;
mod routes;
mod server;
mod stream;

// The other side.
pub mod client;

pub use config::{AGENT_MEMBERS, AgentConfig};
pub use error::AgentError;
pub use metrics::METRICS;
pub use server::run;

/// The interface as an OpenAPI document.
pub const OPENAPI: &str = include_str!("../openapi.json");
