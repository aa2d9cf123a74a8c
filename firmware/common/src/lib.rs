//! What the boards share: where every fault ends ([`latch`]), wiping the stack ([`stack`]), what nobody may read ([`mpu`]), the pieces of flash that hold the device's
//! state ([`region`]), RAM in the place of flash ([`ram_flash`]), and the program as it lies in flash
//! ([`image`]); and a program that breaks on purpose ([`breaking`]).
//!
//! Each board's `memory.x` defines `_provision_start`, `_provision_end`, `_secrets_start`, `_secrets_end`, `_journal_start`, `_journal_end`,
//! and `_flash_mark` where RAM is in the place of flash; it puts the stack at the bottom of the RAM, and
//! defines `_stack_start` and `_stack_end`.
#![no_std]

pub mod breaking;
pub mod image;
pub mod latch;
pub mod mpu;
pub mod ram_flash;
pub mod region;
pub mod stack;
