//! TIMER0 of the CMSDK: 32 bits, counts down, one tick per 40 ns.

use core::ptr;

const CTRL: *mut u32 = 0x4000_0000 as *mut u32;
const VALUE: *mut u32 = 0x4000_0004 as *mut u32;
const RELOAD: *mut u32 = 0x4000_0008 as *mut u32;

const NS_PER_TICK: u64 = 40;
/// Time of the board per instruction, with QEMU's `-icount shift=7`.
const NS_PER_INSTRUCTION: u64 = 128;
const TICKS_PER_MS: u32 = 25_000;

/// Has it count down from its maximum; it wraps after 171 seconds.
pub fn start() {
    // SAFETY: registers of the timer on this board, 32 bits wide, aligned.
    unsafe {
        ptr::write_volatile(RELOAD, u32::MAX);
        ptr::write_volatile(VALUE, u32::MAX);
        ptr::write_volatile(CTRL, 1);
    }
}

/// A point in time.
#[inline(never)]
pub fn now() -> u32 {
    // SAFETY: as above.
    unsafe { ptr::read_volatile(VALUE) }
}

/// Ticks since a point in time.
#[inline(never)]
pub fn ticks_since(started: u32) -> u32 {
    started.wrapping_sub(now())
}

/// Ticks as instructions. Wrong by less than one tick, a third of an instruction: rounding makes it exact.
pub fn instructions_in(ticks: u32) -> u64 {
    (u64::from(ticks) * NS_PER_TICK + NS_PER_INSTRUCTION / 2) / NS_PER_INSTRUCTION
}

/// Instructions since a point in time, those of this measuring included: a handful.
#[inline(never)]
pub fn instructions_since(started: u32) -> u64 {
    instructions_in(ticks_since(started))
}

/// Milliseconds, if it is asked at least every 171 seconds, as a main loop does. Counted twice: after a fault in one of
/// them the other does not believe in days that have not passed.
#[derive(Debug, Default)]
pub struct Clock([Counter; 2]);

impl Clock {
    /// Milliseconds since the start.
    pub fn millis(&mut self) -> u64 {
        let [one, other] = &mut self.0;
        one.millis().min(other.millis())
    }
}

#[derive(Debug, Default)]
struct Counter {
    millis: u64,
    /// Ticks since the start, modulo their wrapping, that are in `millis`.
    counted: u32,
}

impl Counter {
    // A call of its own for each, so that no instruction serves both.
    #[inline(never)]
    fn millis(&mut self) -> u64 {
        let ticks = ticks_since(u32::MAX);
        let whole = ticks.wrapping_sub(self.counted) / TICKS_PER_MS;
        self.counted = self.counted.wrapping_add(whole.wrapping_mul(TICKS_PER_MS));
        self.millis = self.millis.saturating_add(u64::from(whole));
        self.millis
    }
}
