//! Breaks on purpose: see [`breaking`]. Never flashed.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use privyseal_firmware_common::breaking;
use privyseal_firmware_stm32f405::Board;

#[entry]
fn main() -> ! {
    let Some(mut board) = Board::start() else {
        panic!("started twice")
    };
    breaking::run(&mut board.serial)
}
