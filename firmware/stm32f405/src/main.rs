//! The gateway on an STM32F405.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use privyseal_firmware_app::Device;
use privyseal_firmware_common::latch::latch;
use privyseal_firmware_common::{region, stack};
use privyseal_protocol::{DeviceId, ReadOut};
// Only for its feature: the assembly kernels.
use privyseal_firmware_rsa as _;
use privyseal_firmware_stm32f405::entropy::Source;
use privyseal_firmware_stm32f405::led::{Button, Led};
use privyseal_firmware_stm32f405::serial::Serial;
use privyseal_firmware_stm32f405::storage::Storage;
use privyseal_firmware_stm32f405::ticks::{self, Delay};
use privyseal_firmware_stm32f405::{Board, part, watchdog};

#[entry]
fn main() -> ! {
    // The second start of one program does not happen; if it does, something is very wrong.
    let Some(board) = Board::start() else { latch() };
    #[cfg(feature = "log")]
    defmt::info!(
        "privyseal gateway: {} Hz, read-out {=str}",
        board.clocks.core_hz,
        part::level(board.read_out)
    );
    let mut device = Device::new(Hardware {
        board,
        delay: Delay,
    });
    device.start();
    loop {
        device.poll();
        // Until a byte or the next millisecond.
        cortex_m::asm::wfi();
    }
}

/// What the device knows of the board.
struct Hardware {
    board: Board,
    delay: Delay,
}

impl privyseal_firmware_app::Board for Hardware {
    type Led = Led;
    type Button = Button;
    type Delay = Delay;
    type Serial = Serial;
    type Provision = Storage;
    type Mapped = &'static [u8];
    type Journal = Storage;
    type Entropy = Source;

    fn led(&mut self) -> &mut Led {
        &mut self.board.led
    }

    fn button(&mut self) -> Option<&mut Button> {
        Some(&mut self.board.button)
    }

    fn delay(&mut self) -> &mut Delay {
        &mut self.delay
    }

    fn serial(&mut self) -> &mut Serial {
        &mut self.board.serial
    }

    fn provision(&mut self) -> &mut Storage {
        &mut self.board.provision
    }

    fn mapped(&self, offset: u32, len: u32) -> Option<&'static [u8]> {
        region::mapped(offset, len)
    }

    fn journal(&mut self) -> &mut Storage {
        &mut self.board.journal
    }

    fn entropy(&mut self) -> Option<&mut Source> {
        // The emulator has no such generator.
        (!cfg!(feature = "qemu")).then_some(&mut self.board.source)
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

    fn device_id(&self) -> DeviceId {
        part::unique_id()
    }

    fn read_out(&self) -> Option<ReadOut> {
        self.board.read_out
    }

    fn image_hash(&self) -> [u8; 32] {
        self.board.image_hash
    }
}
