//! What every other crate of `host-tests` stands on.
//!
//! - [`scratch`]: places under `target/` and in the workspace;
//! - [`tool`]: runs the tools of the system;
//! - [`privyseal`]: the command, freshly built;
//! - [`terminal`]: a program at a terminal, or a serial line;
//! - [`own_process`]: a test in a process of its own, watched over;
//! - [`clock`]: the time;
//! - [`memory`]: a secret, looked for in memory.
//!
//! Never published. Functions of fixtures panic with a message when the machine lacks something: a
//! missing tool is a failed test, never a skipped one.

#![allow(
    clippy::exhaustive_structs,
    reason = "for tests, which nobody links to"
)]

pub mod clock;
pub mod memory;
pub mod own_process;
pub mod privyseal;
pub mod scratch;
pub mod terminal;
pub mod tool;
