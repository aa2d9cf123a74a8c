//! The independent watchdog: once started, nothing but a reset stops it.
//!
//! It is fed from the main loop only, never from an interrupt: a loop that hangs must not be kept alive by
//! a timer that does not.

use stm32f4::stm32f405::IWDG;

/// 32 kHz / 256 = 8 ms per count.
const COUNTS: u16 = 2047;

/// Starts it: 16.4 s, and 11.2 where its oscillator is as fast as it may be. Erasing a 128 KiB sector takes 2 (4 at
/// low voltage), a signature of RSA-4096 at 16 MHz 7.3.
pub fn start(iwdg: &IWDG) {
    iwdg.kr().write(|w| w.key().start());
    iwdg.kr().write(|w| w.key().unlock());
    iwdg.pr().write(|w| w.pr().divide_by256());
    iwdg.rlr().write(|w| w.rl().set(COUNTS));
    iwdg.kr().write(|w| w.key().feed());
}

/// Gives the device another 16 seconds.
#[expect(
    unsafe_code,
    reason = "fed from several places, one of which has lost everything"
)]
pub fn feed() {
    // SAFETY: one write of one word, which no other write can disturb.
    let iwdg = unsafe { IWDG::steal() };
    iwdg.kr().write(|w| w.key().feed());
}
