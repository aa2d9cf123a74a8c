//! The gateway on QEMU's mps2-an386.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use privyseal_firmware_mps2_an386::An386;

#[entry]
fn main() -> ! {
    privyseal_firmware_app::run(An386::start())
}
