//! What the part says of itself: its number and its protection.
#![cfg_attr(
    not(feature = "qemu"),
    expect(unsafe_code, reason = "reads what the part has at a fixed address")
)]

#[cfg(not(feature = "qemu"))]
use core::ptr;

use privyseal_protocol::ReadOut;
use stm32f4::stm32f405::FLASH;

/// The 96 bits that no other part has (RM0090 section 39.1).
#[cfg(not(feature = "qemu"))]
const UNIQUE_ID: *const u8 = 0x1fff_7a10 as *const u8;
/// QEMU has nothing there.
#[cfg(feature = "qemu")]
const EMULATED_ID: [u8; 12] = *b"QEMU-F405-00";

/// The part's number.
pub fn unique_id() -> [u8; 12] {
    #[cfg(feature = "qemu")]
    return EMULATED_ID;
    #[cfg(not(feature = "qemu"))]
    {
        let mut id = [0; 12];
        for (place, byte) in id.iter_mut().enumerate() {
            // SAFETY: 12 readable bytes on every STM32F405.
            *byte = unsafe { ptr::read_volatile(UNIQUE_ID.wrapping_add(place)) };
        }
        id
    }
}

/// How far the part keeps its flash from a debugger (RM0090 section 3.7.3): the level that is set. QEMU has no
/// such register.
pub fn read_out(flash: &FLASH) -> Option<ReadOut> {
    let level = match flash.optcr().read().rdp().bits() {
        0xaa => ReadOut::Open,
        0xcc => ReadOut::Closed,
        // Level 1, which is known to fall to glitches.
        _ => ReadOut::Protected,
    };
    (!cfg!(feature = "qemu")).then_some(level)
}

/// A word for the log.
#[cfg(feature = "log")]
pub const fn level(read_out: Option<ReadOut>) -> &'static str {
    match read_out {
        Some(ReadOut::Open) => "open",
        Some(ReadOut::Closed) => "closed",
        Some(_) => "protected",
        None => "not known",
    }
}
