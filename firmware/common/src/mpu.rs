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
/// Parts of a region, each of which can be left out: here a page.
const PARTS: usize = 8;
/// Regions of [`protect`]: wherever the pages begin, these have them all.
const PROTECTED: u32 = 2;
const _: () = assert!(MAX_PROTECTED <= PARTS * PAGE, "two regions may miss a page");

/// Where each bit of the RAM can be read as a word of its own (ARMv7-M, B3.1), for [`guard`].
pub const BIT_BAND: (u32, u32) = (0x2200_0000, 25);

/// 2^`log2` bytes from a multiple of that on, without the parts that `left_out` has a bit for.
fn set(region: u32, base: u32, log2: u32, left_out: u32) {
    // SAFETY: registers of every Cortex-M4 with this unit, which nothing else here writes. A region that is in use is
    // read by nobody any more; that it is not is a fault, and the end.
    unsafe {
        let unit = &*MPU::PTR;
        unit.rbar.write(base | VALID | region);
        unit.rasr.write(NO_ACCESS | left_out << 8 | (log2 - 1) << 1);
        unit.ctrl.write(ON);
    }
}

/// Guards where a board answers and has no memory of its own, or has it a second time: 2^n bytes from each address on.
pub fn guard(areas: &[(u32, u32)]) {
    for (region, (base, log2)) in (PROTECTED..).zip(areas) {
        set(region, *base, *log2, 0);
    }
    wait();
}

/// As `Board::protect` of the gateway.
pub fn protect(memory: Range<usize>) {
    const LEN: usize = PARTS * PAGE;
    let mut base = memory.start / LEN * LEN;
    for region in 0..PROTECTED {
        let pages = (base..base + LEN).step_by(PAGE);
        let left_out = pages.rev().fold(0, |bits, page| {
            bits << 1 | u32::from(!memory.contains(&page))
        });
        let at = u32::try_from(base).unwrap_or(0);
        set(region, at, LEN.trailing_zeros(), left_out);
        base += LEN;
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
