//! Guards the end of the stack: below it QEMU answers with zeros, and a stack that grows too far would go on.

use core::ptr;

use cortex_m::asm::{dsb, isb};

/// The memory protection unit (ARMv7-M, B3.5): control, and a region's base and attributes.
const CONTROL: *mut u32 = 0xe000_ed94 as *mut u32;
const BASE: *mut u32 = 0xe000_ed9c as *mut u32;
const ATTRIBUTES: *mut u32 = 0xe000_eda0 as *mut u32;

/// 512 KiB below the RAM: more than any frame.
const BELOW_THE_STACK: u32 = 0x1ff8_0000;
/// The base is that of region 0.
const VALID: u32 = 1 << 4;
/// Nobody may read, write or execute; 2^(18 + 1) bytes; in force.
const NO_ACCESS: u32 = 1 << 28 | 18 << 1 | 1;
/// In force, all else as it was; not within the handler of a fault, which has no stack else.
const ON: u32 = 1 << 2 | 1;

/// Puts the guard up.
pub(crate) fn up() {
    // SAFETY: registers of every Cortex-M4 with this unit; the program has nothing there.
    unsafe {
        ptr::write_volatile(BASE, BELOW_THE_STACK | VALID);
        ptr::write_volatile(ATTRIBUTES, NO_ACCESS);
        ptr::write_volatile(CONTROL, ON);
    }
    dsb();
    isb();
}
