//! The gateway's images as the linker left them.

mod elf;
mod no_panic;
