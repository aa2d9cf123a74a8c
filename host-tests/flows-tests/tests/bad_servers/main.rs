//! Servers that are dead, slow, lying or flapping: each request of each flow ends with a clear error, in bounded
//! time and memory, and says nothing of the assertion or the token that it carried.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

mod again;
mod ciba;
mod command;
mod dead;
mod https;
mod lying;
mod progress;
mod provider;
mod retries;
mod session;
mod shared;
mod stage;
