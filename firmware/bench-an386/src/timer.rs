//! TIMER0 of the CMSDK (32 bits, counts down, one tick per 40 ns) as a counter of instructions.
#![expect(
    unsafe_code,
    reason = "the timer's registers are plain addresses, which nothing else here touches"
)]

use core::ptr;

const CTRL: *mut u32 = 0x4000_0000 as *mut u32;
const VALUE: *mut u32 = 0x4000_0004 as *mut u32;
const RELOAD: *mut u32 = 0x4000_0008 as *mut u32;

/// Time of the board per instruction: `-icount shift=7`.
const NS_PER_INSTRUCTION: u64 = 128;
const NS_PER_TICK: u64 = 40;

/// Has it count down from its maximum: 1.3 thousand million instructions until it wraps.
pub(crate) fn start() {
    // SAFETY: registers of the timer on this board, 32 bits wide, aligned.
    unsafe {
        ptr::write_volatile(RELOAD, u32::MAX);
        ptr::write_volatile(VALUE, u32::MAX);
        ptr::write_volatile(CTRL, 1);
    }
}

/// A point in time.
#[inline(never)]
pub(crate) fn now() -> u32 {
    // SAFETY: as above.
    unsafe { ptr::read_volatile(VALUE) }
}

/// Instructions since a point in time, those of this measuring included: a handful.
#[inline(never)]
pub(crate) fn instructions_since(started: u32) -> u64 {
    let ticks = u64::from(started.wrapping_sub(now()));
    // Wrong by less than one tick, a third of an instruction: rounding makes it exact.
    (ticks * NS_PER_TICK + NS_PER_INSTRUCTION / 2) / NS_PER_INSTRUCTION
}
