//! USART1 on PA9 (out) and PA10 (in), 115200 8N1: QEMU's first serial port.
//!
//! The part holds one byte; the next comes 87 us later, and a signature takes a tenth of a second. So an
//! interrupt moves received bytes to a queue. A byte that finds it full is dropped: its frame fails its
//! checksum and is refused.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};
use stm32f4::stm32f405::{GPIOA, Interrupt, NVIC, RCC, USART1, interrupt};

use privyseal_firmware_common::latch::counted;

use crate::ring::Ring;
use crate::watchdog;

const BAUD: u32 = 115_200;

static RECEIVED: Ring = Ring::new();

/// The line to the host.
#[derive(Debug)]
pub struct Serial {
    usart: USART1,
}

impl Serial {
    /// Sets pins, speed and interrupt up.
    pub fn new(rcc: &RCC, port: &GPIOA, usart: USART1, apb2_hz: u32) -> Self {
        rcc.ahb1enr().modify(|_, w| w.gpioaen().enabled());
        rcc.apb2enr().modify(|_, w| w.usart1en().enabled());
        port.afrh().modify(|_, w| w.afrh9().af7().afrh10().af7());
        port.pupdr().modify(|_, w| w.pupdr10().pull_up());
        port.moder()
            .modify(|_, w| w.moder9().alternate().moder10().alternate());
        // Sixteenths of a bit time, rounded: 12 bits of whole ones and 4 of fraction, side by side.
        let divider = apb2_hz.saturating_add(BAUD / 2) / BAUD;
        usart.brr().write(|w| {
            w.div_mantissa()
                .set(u16::try_from(divider >> 4).unwrap_or(u16::MAX))
                .div_fraction()
                .set(u8::try_from(divider & 15).unwrap_or(0))
        });
        usart.cr1().write(|w| {
            w.ue().enabled().te().enabled().re().enabled();
            w.rxneie().enabled()
        });
        enable_interrupt();
        Self { usart }
    }
}

#[expect(
    unsafe_code,
    reason = "an interrupt may break critical sections that mask by hand"
)]
fn enable_interrupt() {
    // SAFETY: no critical section here is made of masks.
    unsafe { NVIC::unmask(Interrupt::USART1) };
}

impl ErrorType for Serial {
    type Error = Infallible;
}

impl ReadReady for Serial {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!RECEIVED.is_empty())
    }
}

impl Read for Serial {
    /// Waits for at least one byte, asleep, feeding the watchdog.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let mut read: usize = 0;
            for (to, byte) in buffer
                .iter_mut()
                .zip(core::iter::from_fn(|| RECEIVED.take()))
            {
                *to = byte;
                read = read.saturating_add(1);
            }
            if read > 0 {
                return Ok(read);
            }
            watchdog::feed();
            // The millisecond's interrupt wakes it too, so nothing is missed for longer.
            cortex_m::asm::wfi();
        }
    }
}

impl Write for Serial {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in counted(bytes) {
            while self.usart.sr().read().txe().bit_is_clear() {}
            self.usart.dr().write(|w| w.dr().set(u16::from(byte)));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while self.usart.sr().read().tc().bit_is_clear() {}
        Ok(())
    }
}

#[interrupt]
fn USART1() {
    let usart = other_half();
    // Reading status, then data, also clears an overrun, which would stop reception.
    let status = usart.sr().read();
    if status.rxne().bit_is_set() || status.ore().bit_is_set() {
        let [byte, _] = usart.dr().read().dr().bits().to_le_bytes();
        RECEIVED.put(byte);
    }
}

#[expect(
    unsafe_code,
    reason = "the main loop has the registers, and writes data only"
)]
fn other_half() -> USART1 {
    // SAFETY: the interrupt reads status and data, which the main loop does not.
    unsafe { USART1::steal() }
}
