//! The first stage on the mps2-an386: runs the image in the active slot, if the maker has signed it.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "leaves this program for another one")]

use core::hint::black_box;

use cortex_m::peripheral::Peripherals;
use cortex_m_rt::entry;
use privyseal_firmware_app::first_stage::{GOOD, start};
use privyseal_firmware_common::latch::latch;
use privyseal_firmware_mps2_an386::slots;

#[entry]
fn main() -> ! {
    let (mut active, mut staging) = slots::take();
    let verdicts = start(&mut active, &mut staging);
    run(verdicts)
}

/// Runs it with two good verdicts. They are also what its address is made of: with others there is nothing.
#[inline(never)]
fn run([first, second]: [u32; 2]) -> ! {
    if black_box(first) != GOOD {
        latch()
    }
    if black_box(second) != GOOD {
        latch()
    }
    let image = black_box(slots::IMAGE) ^ black_box(first) ^ black_box(second);
    let Some(core) = Peripherals::take() else {
        latch()
    };
    // SAFETY: the vectors of an image that was judged good twice; nothing of this program runs any more.
    unsafe {
        core.SCB.vtor.write(image);
        cortex_m::asm::bootload(image as *const u32)
    }
}
