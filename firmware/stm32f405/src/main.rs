//! The gateway on an STM32F405.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use privyseal_firmware_app::{Board as _, Device};
use privyseal_firmware_common::latch::latch;
// Only for its feature: the assembly kernels.
use privyseal_firmware_rsa as _;
use privyseal_firmware_stm32f405::Board;

#[entry]
fn main() -> ! {
    // The second start of one program does not happen; if it does, something is very wrong.
    let Some(board) = Board::start() else { latch() };
    #[cfg(feature = "log")]
    defmt::info!(
        "privyseal gateway: {} Hz, read-out {=str}",
        board.clocks.core_hz,
        privyseal_firmware_stm32f405::part::level(board.read_out)
    );
    let mut device = Device::new(board);
    device.start();
    loop {
        device.poll();
        device.board().rest();
    }
}
