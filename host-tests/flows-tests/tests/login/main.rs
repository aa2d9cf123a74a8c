//! A person logs in at node-oidc-provider, and providers that lie about it.

#![allow(clippy::similar_names, reason = "a stage and a state are called so")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod forged;
mod provider;
mod stage;
