//! The independent watchdog: once started, nothing but a reset stops it.
//!
//! It is fed from the main loop only, never from an interrupt: a loop that hangs must not be kept alive by
//! a timer that does not.

use stm32f4::stm32f405::IWDG;

/// 32 kHz / 64 = 2 ms per count.
const COUNTS: u16 = 4095;

/// Starts it: 8.19 s, of which erasing a 128 KiB sector takes 2 (4 at low voltage).
pub fn start(iwdg: &IWDG) {
    iwdg.kr().write(|w| w.key().start());
    iwdg.kr().write(|w| w.key().unlock());
    iwdg.pr().write(|w| w.pr().divide_by64());
    iwdg.rlr().write(|w| w.rl().set(COUNTS));
    iwdg.kr().write(|w| w.key().feed());
}

/// Gives the device another 8 seconds.
#[expect(
    unsafe_code,
    reason = "fed from several places, one of which has lost everything"
)]
pub fn feed() {
    // SAFETY: one write of one word, which no other write can disturb.
    let iwdg = unsafe { IWDG::steal() };
    iwdg.kr().write(|w| w.key().feed());
}
