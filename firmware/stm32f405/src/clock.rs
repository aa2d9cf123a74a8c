//! 168 MHz out of the crystal, or 160 out of the internal oscillator, which is exact to one per cent.
//!
//! Every wait is bounded: a dead crystal must not hang the boot, and QEMU has no such registers (they read
//! zero), so nothing is ever ready there. If the PLL does not start either, the processor has the
//! internal oscillator's 16 MHz; the random number generator then has no clock and gives nothing.

use stm32f4::stm32f405::{FLASH, PWR, RCC};

/// The crystal of the Olimex STM32-H405, in MHz. The Netduino Plus 2 has 25.
const CRYSTAL_MHZ: u8 = 8;
/// The internal oscillator, in MHz.
const INTERNAL_MHZ: u8 = 16;
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

/// After reset.
const INTERNAL: Clocks = Clocks {
    core_hz: 16_000_000,
    apb2_hz: 16_000_000,
};

/// What the PLL makes its clocks of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// 168 MHz, and 48 MHz for the random number generator.
    Crystal,
    /// 160 MHz, which leaves room for its error, and 45.7 MHz for the generator.
    Internal,
}

impl Source {
    const fn clocks(self) -> Clocks {
        let core_hz = match self {
            Self::Crystal => 168_000_000,
            Self::Internal => 160_000_000,
        };
        Clocks {
            core_hz,
            apb2_hz: core_hz / 2,
        }
    }
}

/// Starts the crystal, if there is one, and the PLL, and has the processor run from it.
pub fn start(rcc: &RCC, pwr: &PWR, flash: &FLASH) -> Clocks {
    rcc.apb1enr().modify(|_, w| w.pwren().enabled());
    pwr.cr().modify(|_, w| w.vos().scale1());
    rcc.cr().modify(|_, w| w.hseon().on());
    let source = if comes_true(|| rcc.cr().read().hserdy().bit_is_set()) {
        Source::Crystal
    } else {
        rcc.cr().modify(|_, w| w.hseon().off());
        Source::Internal
    };
    set_pll(rcc, source);
    rcc.cr().modify(|_, w| w.pllon().on());
    if !comes_true(|| rcc.cr().read().pllrdy().bit_is_set()) {
        return emulated().unwrap_or(INTERNAL);
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
        if source == Source::Crystal {
            // If it dies later, the part raises an NMI, which ends in the safe state.
            rcc.cr().modify(|_, w| w.csson().on());
        }
        source.clocks()
    } else {
        INTERNAL
    }
}

/// 1 MHz in, 336 or 320 MHz inside; a half of it to the processor, a seventh to the generator.
#[expect(
    unsafe_code,
    reason = "the register's fields take numbers, of which RM0090 forbids some"
)]
fn set_pll(rcc: &RCC, source: Source) {
    let (divider, factor) = match source {
        Source::Crystal => (CRYSTAL_MHZ, 336),
        Source::Internal => (INTERNAL_MHZ, 320),
    };
    rcc.pllcfgr().write(|w| {
        // SAFETY: the factors keep every stage in its range: 1 to 2 MHz in, 100 to 432 MHz inside.
        unsafe { w.pllm().bits(divider).plln().bits(factor).pllq().bits(7) };
        match source {
            Source::Crystal => w.pllp().div2().pllsrc().hse(),
            Source::Internal => w.pllp().div2().pllsrc().hsi(),
        }
    });
}

/// QEMU's processor counts as one of 168 MHz, whatever the registers say.
const fn emulated() -> Option<Clocks> {
    if cfg!(feature = "qemu") {
        Some(Source::Crystal.clocks())
    } else {
        None
    }
}

fn comes_true(mut is: impl FnMut() -> bool) -> bool {
    (0..PATIENCE).any(|_| is())
}
