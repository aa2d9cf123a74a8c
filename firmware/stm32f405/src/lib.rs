//! An STM32F405 board: clocks, serial line, flash, LED and button, watchdog, randomness, and where faults
//! end. Two programs stand on it: the gateway (`main.rs`), and `bin/faults.rs`, which breaks on purpose.
//!
//! The same image runs on QEMU's `netduinoplus2`, which has that part. With the
//! feature `qemu`, RAM takes the place of flash, because the emulator has a true ROM there, and there is no
//! random number generator.
//!
//! Registers come from the `stm32f4` crate: names, and no behaviour. A whole HAL would bring a dozen crates
//! for the few registers that are used here, and hide the waits that must be bounded.
#![no_std]

pub mod clock;
pub mod entropy;
pub mod led;
pub mod part;
pub mod ring;
mod safe_state;
pub mod serial;
#[cfg(not(feature = "qemu"))]
pub mod storage;
#[cfg(feature = "qemu")]
pub use privyseal_firmware_common::ram_flash as storage;
pub mod ticks;
pub mod watchdog;

#[cfg(feature = "log")]
use defmt_rtt as _;

pub use stm32f4::stm32f405::{CorePeripherals, Peripherals};

use privyseal_firmware_common::{image, mpu, stack};
use privyseal_protocol::{DeviceId, ReadOut};

use crate::clock::Clocks;
use crate::entropy::Source;
use crate::led::{Button, Led};
use crate::serial::Serial;
use crate::storage::Storage;

/// Everything on the board, started.
#[derive(Debug)]
pub struct Board {
    /// The clocks as they run.
    pub clocks: Clocks,
    /// The status LED.
    pub led: Led,
    /// The presence button.
    pub button: Button,
    /// The line to the host.
    pub serial: Serial,
    /// What is random.
    pub source: Source,
    /// Where policy and chain live.
    pub provision: Storage,
    /// Where the key lives.
    pub secrets: Storage,
    /// Where counter, time floor and log live.
    pub journal: Storage,
    /// SHA-256 of the program.
    pub image_hash: [u8; 32],
    /// Whether a debugger can read the key.
    pub read_out: Option<ReadOut>,
}

impl Board {
    /// Starts everything, the watchdog last. `None` the second time.
    pub fn start() -> Option<Self> {
        let (core, part) = (CorePeripherals::take()?, Peripherals::take()?);
        let clocks = clock::start(&part.RCC, &part.PWR, &part.FLASH);
        ticks::start(core.SYST, clocks.core_hz);
        mpu::guard(&[mpu::BIT_BAND]);
        let read_out = part::read_out(&part.FLASH);
        let [provision, secrets, journal] = storage::take(
            #[cfg(not(feature = "qemu"))]
            part.FLASH,
        );
        let board = Self {
            clocks,
            led: Led::new(&part.RCC, &part.GPIOC),
            button: Button::new(&part.RCC, &part.GPIOA),
            serial: Serial::new(&part.RCC, &part.GPIOA, part.USART1, clocks.apb2_hz),
            source: Source::new(&part.RCC, part.RNG),
            read_out,
            provision,
            secrets,
            journal,
            image_hash: image::hash(),
        };
        watchdog::start(&part.IWDG);
        Some(board)
    }
}

impl privyseal_firmware_app::Board for Board {
    type Serial = Serial;
    privyseal_firmware_common::pieces_of_flash! { Storage }

    fn light(&mut self, lit: bool) {
        self.led.set(lit);
    }

    fn is_pressed(&mut self) -> Option<bool> {
        Some(self.button.is_pressed())
    }

    /// Until a byte or the next millisecond.
    fn rest(&mut self) {
        cortex_m::asm::wfi();
    }

    fn fill_random(&mut self, out: &mut [u8]) -> bool {
        // The emulator has no such generator.
        !cfg!(feature = "qemu") && self.source.fill(out).is_some()
    }

    fn serial(&mut self) -> &mut Serial {
        &mut self.serial
    }

    fn millis(&mut self) -> u64 {
        ticks::millis()
    }

    fn feed_watchdog(&mut self) {
        watchdog::feed();
    }

    fn wipe_stack(&mut self) {
        stack::wipe();
    }

    #[cfg(not(feature = "qemu"))]
    fn device_secret(&mut self) -> Option<[u8; 32]> {
        Storage::one_time_secret()
    }

    #[cfg(not(feature = "qemu"))]
    fn make_device_secret(&mut self) {
        let mut random = [0; 28];
        if Storage::one_time_secret().is_none() && self.source.fill(&mut random).is_some() {
            // Without one the key is kept without one, and the device says so.
            let _ = self.secrets.burn_secret(random);
        }
    }

    fn device_id(&self) -> DeviceId {
        part::unique_id()
    }

    fn read_out(&self) -> Option<ReadOut> {
        self.read_out
    }
}
