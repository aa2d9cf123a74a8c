//! The memory protection unit (ARMv7-M, B3.5): what nobody may read, write or run, this program itself least of all.
//! Whoever does ends in [`crate::latch`].
#![expect(unsafe_code, reason = "its registers are plain addresses")]

use core::ops::Range;

use cortex_m::asm::{dsb, isb};
use cortex_m::peripheral::MPU;
use privyseal_firmware_app::{MAX_PROTECTED, PAGE};

/// The base names its region.
const VALID: u32 = 1 << 4;
/// Nobody may read, write or execute; in force.
const NO_ACCESS: u32 = 1 << 28 | 1;
/// In force, all else as it was; not within the handler of a fault, which has no stack else.
const ON: u32 = 1 << 2 | 1;
/// Of [`guard`].
const STACK: u32 = 0;
/// One for each page that is protected.
const PAGES: [u32; MAX_PROTECTED / PAGE] = [1, 2, 3, 4, 5, 6, 7];

/// 2^`log2` bytes from a multiple of that on, or nothing.
fn set(region: u32, base: Option<u32>, log2: u32) {
    let attributes = base.map_or(0, |_| NO_ACCESS | (log2 - 1) << 1);
    // SAFETY: registers of every Cortex-M4 with this unit, which nothing else here writes. A region that is in use is
    // read by nobody any more; that it is not is a fault, and the end.
    unsafe {
        let unit = &*MPU::PTR;
        unit.rbar.write(base.unwrap_or(0) | VALID | region);
        unit.rasr.write(attributes);
        unit.ctrl.write(ON);
    }
}

/// Guards what lies below the stack, where a board answers there: 2^`log2` bytes.
pub fn guard(below_the_stack: u32, log2: u32) {
    set(STACK, Some(below_the_stack), log2);
    wait();
}

/// As `Board::protect` of the gateway.
pub fn protect(memory: Range<usize>) {
    let mut pages = memory.step_by(PAGE);
    for region in PAGES {
        let page = pages.next().and_then(|at| u32::try_from(at).ok());
        set(region, page, PAGE.trailing_zeros());
    }
    wait();
}

/// Takes it back.
pub fn unprotect() {
    protect(0..0);
}

/// Until it is in force.
fn wait() {
    dsb();
    isb();
}
