//! 168 MHz out of the crystal, or what is there without it.
//!
//! Every wait is bounded: a dead crystal must not hang the boot, and QEMU has no such registers (they read
//! zero), so it is never ready there. What runs then is the internal 16 MHz oscillator: slow, and right.

use stm32f4::stm32f405::{FLASH, PWR, RCC};

/// The crystal of the Olimex STM32-H405, in MHz. The Netduino Plus 2 has 25.
const CRYSTAL_MHZ: u8 = 8;
/// Reads of a status register before a wait is given up: some 10 ms, and a crystal needs 2.
const PATIENCE: u32 = 50_000;

/// The clocks as they run.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Cycles of the processor per second.
    pub core_hz: u32,
    /// Cycles of the second peripheral bus, on which USART1 is, per second.
    pub apb2_hz: u32,
}

/// From the crystal: 168 MHz, and 48 MHz for the random number generator.
const FROM_CRYSTAL: Clocks = Clocks {
    core_hz: 168_000_000,
    apb2_hz: 84_000_000,
};
/// After reset.
const INTERNAL: Clocks = Clocks {
    core_hz: 16_000_000,
    apb2_hz: 16_000_000,
};

/// Starts the crystal and the PLL, and has the processor run from it.
pub fn start(rcc: &RCC, pwr: &PWR, flash: &FLASH) -> Clocks {
    rcc.apb1enr().modify(|_, w| w.pwren().enabled());
    pwr.cr().modify(|_, w| w.vos().scale1());
    rcc.cr().modify(|_, w| w.hseon().on());
    if !comes_true(|| rcc.cr().read().hserdy().bit_is_set()) {
        rcc.cr().modify(|_, w| w.hseon().off());
        return emulated().unwrap_or(INTERNAL);
    }
    set_pll(rcc);
    rcc.cr().modify(|_, w| w.pllon().on());
    if !comes_true(|| rcc.cr().read().pllrdy().bit_is_set()) {
        return INTERNAL;
    }
    // Five wait states at 168 MHz and 3.3 V, hidden by prefetch and caches (RM0090 table 10).
    flash.acr().write(|w| {
        w.latency().ws5().prften().enabled();
        w.icen().enabled().dcen().enabled()
    });
    rcc.cfgr()
        .modify(|_, w| w.ppre1().div4().ppre2().div2().hpre().div1());
    rcc.cfgr().modify(|_, w| w.sw().pll());
    if comes_true(|| rcc.cfgr().read().sws().is_pll()) {
        // If the crystal dies later, the part raises an NMI, which ends in the safe state.
        rcc.cr().modify(|_, w| w.csson().on());
        FROM_CRYSTAL
    } else {
        INTERNAL
    }
}

/// 1 MHz in, 336 MHz inside; a half of it to the processor, a seventh to the generator.
#[expect(
    unsafe_code,
    reason = "the register's fields take numbers, of which RM0090 forbids some"
)]
fn set_pll(rcc: &RCC) {
    rcc.pllcfgr().write(|w| {
        // SAFETY: the factors keep every stage in its range: 1 to 2 MHz in, 100 to 432 MHz inside.
        unsafe { w.pllm().bits(CRYSTAL_MHZ).plln().bits(336).pllq().bits(7) };
        w.pllp().div2().pllsrc().hse()
    });
}

/// QEMU's processor counts as one of 168 MHz, whatever the registers say.
const fn emulated() -> Option<Clocks> {
    if cfg!(feature = "qemu") {
        Some(FROM_CRYSTAL)
    } else {
        None
    }
}

fn comes_true(mut is: impl FnMut() -> bool) -> bool {
    (0..PATIENCE).any(|_| is())
}
