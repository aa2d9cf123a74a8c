//! `privyseal ciba` against node-oidc-provider: CIBA in poll and in ping mode, user discovery before it,
//! and what is encrypted to keys of two vendors' tokens.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

mod delivered;
mod forged;
mod refused;
mod rotation;
mod stage;
