//! The status LED and the presence button of the Olimex STM32-H405: PC12, lit when low, and PA0, pressed
//! when high.
#![expect(
    unsafe_code,
    reason = "pins of one port are separate things that share registers made for that"
)]

use stm32f4::stm32f405::{GPIOA, GPIOC, RCC};

/// PC12.
#[derive(Debug)]
pub struct Led(());

impl Led {
    /// Makes the pin an output, dark.
    pub fn new(rcc: &RCC, port: &GPIOC) -> Self {
        rcc.ahb1enr().modify(|_, w| w.gpiocen().enabled());
        let led = Self(());
        led.set(false);
        port.moder().modify(|_, w| w.moder12().output());
        led
    }

    /// One more handle.
    ///
    /// # Safety
    /// No other handle may be used any more.
    pub(crate) const unsafe fn steal() -> Self {
        Self(())
    }

    /// Lights or darkens it.
    pub fn set(&self, lit: bool) {
        // SAFETY: one write that sets or clears this pin and leaves the others of the port alone.
        let port = unsafe { GPIOC::steal() };
        port.bsrr().write(|w| {
            if lit {
                w.br12().reset()
            } else {
                w.bs12().set_bit()
            }
        });
    }
}

/// PA0.
#[derive(Debug)]
pub struct Button(());

impl Button {
    /// After reset the pin is an input already; the board pulls it down, and so does the part.
    pub fn new(rcc: &RCC, port: &GPIOA) -> Self {
        rcc.ahb1enr().modify(|_, w| w.gpioaen().enabled());
        port.pupdr().modify(|_, w| w.pupdr0().pull_down());
        Self(())
    }
    /// Whether it is pressed now.
    pub fn is_pressed(&self) -> bool {
        // SAFETY: only read.
        let port = unsafe { GPIOA::steal() };
        port.idr().read().idr0().bit_is_set()
    }
}
