//! Wiping the stack: what has been computed with a key must not outlive the computation.
//!
//! Rust moves values by copying them and wipes nothing that it has copied from, and importing a key takes tens of
//! kilobytes of stack, which grow with the chain. So no bound of the depth is relied on: everything below the
//! caller is wiped, to the end of the stack.
//!
//! A reset wipes the stack too, before anything else runs ([`wipe_all`]): RAM keeps its content then, and
//! a program that starts differently than the last time would leave the key where it was.
#![expect(
    unsafe_code,
    reason = "wipes memory that no Rust value owns: the stack below its pointer"
)]

use core::arch::naked_asm;

/// Fills with zeros from `r0` to `r1`, both multiples of four: 2 KiB at once as long as it goes. Takes `r2` to
/// `r9` and `r12`; `r2` to `r9` are zero behind it.
macro_rules! fill {
    () => {
        "
        movs r2, #0
        movs r3, #0
        movs r4, #0
        movs r5, #0
        movs r6, #0
        movs r7, #0
        mov  r8, r2
        mov  r9, r2
        sub  r12, r1, #2048
    2:  cmp  r0, r12
        bhi  3f
        .rept 64
        stmia r0!, {{r2-r9}}
        .endr
        b    2b
    3:  cmp  r0, r1
        bhs  4f
        str  r2, [r0], #4
        b    3b
    4:
        "
    };
}

/// Wipes the stack below its caller. An interrupt that comes meanwhile loses nothing: what it has put there it has
/// taken again before this goes on.
#[unsafe(naked)]
pub extern "C" fn wipe() {
    naked_asm!(
        "push {{r4-r9}}",
        "movw r0, #:lower16:_stack_end",
        "movt r0, #:upper16:_stack_end",
        "mov r1, sp",
        fill!(),
        "pop {{r4-r9}}",
        // Where these were.
        "strd r2, r3, [sp, #-8]",
        "strd r2, r3, [sp, #-16]",
        "strd r2, r3, [sp, #-24]",
        "bx lr",
    )
}

/// Called by cortex-m-rt at a reset, before there is anything on the stack or in a register.
#[unsafe(naked)]
#[unsafe(export_name = "__pre_init")]
extern "C" fn wipe_all() {
    naked_asm!(
        "movw r0, #:lower16:_stack_end",
        "movt r0, #:upper16:_stack_end",
        "movw r1, #:lower16:_stack_start",
        "movt r1, #:upper16:_stack_start",
        fill!(),
        "bx lr",
    )
}
