//! What the board shows when everything has ended: three short flashes and a pause. Nothing else does that.
#![expect(unsafe_code, reason = "nobody owns anything any more")]

use crate::led::Led;
use crate::watchdog;

/// About a tenth of a second at 168 MHz, 1 s at 16.
const BEAT: u32 = 5_000_000;

/// Called by [`privyseal_firmware_common::latch::latch`]. The watchdog is fed: a device that restarted by
/// itself would not stay latched.
#[unsafe(no_mangle)]
extern "C" fn board_latched() -> ! {
    #[cfg(feature = "semihosting")]
    cortex_m_semihosting::debug::exit(cortex_m_semihosting::debug::EXIT_FAILURE);
    // SAFETY: the owner of the LED does not run again.
    let led = unsafe { Led::steal() };
    loop {
        for lit in [true, false, true, false, true, false, false, false, false] {
            led.set(lit);
            watchdog::feed();
            cortex_m::asm::delay(BEAT);
        }
    }
}
