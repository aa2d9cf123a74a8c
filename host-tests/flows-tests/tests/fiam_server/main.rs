//! The test authorization server: it accepts what is right, and every single thing that can be wrong it
//! refuses. A judge that accepts everything would make every other test worthless.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

mod http;
mod issued;
mod refused;
mod stage;
