//! Where every panic and fault ends: nothing is signed any more, the RAM is wiped, and the board says so
//! ([`board_latched`], which each board defines).
//!
//! It stays like that until someone takes the power away or resets the device: a device that
//! restarted by itself could be made to fail again and again, in search of a fault that helps.
//!
//! The stack pointer may be what broke (see `memory.x`), and what is on the stack is to be wiped, callers'
//! frames included: so the wiping needs no stack, and what comes after it starts on a new one.
#![expect(
    unsafe_code,
    reason = "wipes all memory, its own program's included, and answers the processor's exceptions"
)]

use core::arch::naked_asm;
use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m_rt::exception;

unsafe extern "C" {
    /// What the board shows then, for ever, with a fresh stack and no state at all.
    safe fn board_latched() -> !;
}

/// Ends everything: interrupts off, RAM wiped, then what the board shows, for ever. All exceptions without a handler of
/// their own end here too: bus faults (stack overflow among them), illegal instructions.
#[unsafe(naked)]
#[unsafe(export_name = "HardFault")]
pub extern "C" fn latch() -> ! {
    naked_asm!(
        "cpsid i",
        "movs r2, #0",
        "movw r0, #:lower16:_stack_end",
        "movt r0, #:upper16:_stack_end",
        "movw r1, #:lower16:_stack_start",
        "movt r1, #:upper16:_stack_start",
        "msr msp, r1",
        // What was protected is wiped, too.
        "movw r3, #0xed94",
        "movt r3, #0xe000",
        "str r2, [r3]",
        "dsb",
        "isb",
        "2:",
        "str r2, [r0], #4",
        "cmp r0, r1",
        "blo 2b",
        "movw r0, #:lower16:_ram_start",
        "movt r0, #:upper16:_ram_start",
        "movw r1, #:lower16:_ram_end",
        "movt r1, #:upper16:_ram_end",
        "3:",
        "str r2, [r0], #4",
        "cmp r0, r1",
        "blo 3b",
        "b {after}",
        after = sym board_latched,
    )
}

/// The bytes one by one, counted besides: a fault in a loop's end sends no memory behind them.
pub fn counted(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let mut left = black_box(bytes.len());
    bytes.iter().map(move |byte| {
        if left == 0 {
            latch()
        }
        left = left.wrapping_sub(1);
        *byte
    })
}

#[exception]
unsafe fn DefaultHandler(_interrupt: i16) -> ! {
    latch()
}

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    latch()
}
