//! Breaks on purpose: see [`breaking`].
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use privyseal_firmware_common::breaking;
use privyseal_firmware_mps2_an386::An386;

#[entry]
fn main() -> ! {
    breaking::run(An386::start().line())
}
