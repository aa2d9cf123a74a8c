//! Milliseconds since the start, from SysTick. They say nothing of the date.

use core::cell::Cell;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use critical_section::Mutex;

static MILLIS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
/// What is left of the largest number: the same, counted in another way. After a fault in one of them the other does not
/// believe in days that have not passed.
static LEFT: Mutex<Cell<u64>> = Mutex::new(Cell::new(u64::MAX));

/// Starts the count.
pub fn start(mut syst: SYST, core_hz: u32) {
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload((core_hz / 1000).saturating_sub(1));
    syst.clear_current();
    syst.enable_interrupt();
    syst.enable_counter();
}

/// Milliseconds since [`start`].
pub fn millis() -> u64 {
    let (millis, left) =
        critical_section::with(|cs| (MILLIS.borrow(cs).get(), LEFT.borrow(cs).get()));
    millis.min(!left)
}

#[exception]
fn SysTick() {
    critical_section::with(|cs| {
        let millis = MILLIS.borrow(cs);
        millis.set(millis.get().saturating_add(1));
        let left = LEFT.borrow(cs);
        left.set(left.get().saturating_sub(1));
    });
}
