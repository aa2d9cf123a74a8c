//! The kernels in assembly, for 32-bit Arm with the DSP extension.
//!
//! This is the one module of the crate with `unsafe`, and the reason is speed: a compiler emits UMAAL for
//! a multiply-add, but keeps one row of a product in registers where four fit, so that it loads and stores
//! far more. The functions of `umaal.s` touch the arrays they are given and nothing else; the safe
//! functions here give them arrays of the right lengths. The image for QEMU compares all of them with
//! [`portable`], on numbers at the edges too.
#![expect(
    unsafe_code,
    reason = "assembly is called through raw pointers; see the module's documentation"
)]

use core::arch::global_asm;

use crate::kernel::{Divisor, ENTRIES, Workspace, portable};
use crate::limbs::Limb;

global_asm!(include_str!("umaal.s"), options(raw));

// Their contracts stand at each in `umaal.s`.
unsafe extern "C" {
    fn privyseal_product_32(workspace: *mut Limb, a: *const Limb, b: *const Limb);
    fn privyseal_product_48(workspace: *mut Limb, a: *const Limb, b: *const Limb);
    fn privyseal_product_64(workspace: *mut Limb, a: *const Limb, b: *const Limb);
    fn privyseal_product_96(workspace: *mut Limb, a: *const Limb, b: *const Limb);
    fn privyseal_product_128(workspace: *mut Limb, a: *const Limb, b: *const Limb);
    fn privyseal_square_32(workspace: *mut Limb, a: *const Limb);
    fn privyseal_square_48(workspace: *mut Limb, a: *const Limb);
    fn privyseal_square_64(workspace: *mut Limb, a: *const Limb);
    fn privyseal_reduce_32(workspace: *mut Limb, m: *const Limb, inverse: Limb, out: *mut Limb);
    fn privyseal_reduce_48(workspace: *mut Limb, m: *const Limb, inverse: Limb, out: *mut Limb);
    fn privyseal_reduce_64(workspace: *mut Limb, m: *const Limb, inverse: Limb, out: *mut Limb);
    fn privyseal_reduce_96(workspace: *mut Limb, m: *const Limb, inverse: Limb, out: *mut Limb);
    fn privyseal_reduce_128(workspace: *mut Limb, m: *const Limb, inverse: Limb, out: *mut Limb);
    fn privyseal_select_32(table: *const Limb, index: Limb, out: *mut Limb);
    fn privyseal_select_48(table: *const Limb, index: Limb, out: *mut Limb);
    fn privyseal_select_64(table: *const Limb, index: Limb, out: *mut Limb);
}

/// `out = a * b / R mod m`, almost reduced.
#[inline]
pub(crate) fn multiply<const L: usize>(
    out: &mut [Limb; L],
    a: &[Limb; L],
    b: &[Limb; L],
    m: Divisor<'_, L>,
    workspace: &mut Workspace<L>,
) {
    let kernel = const {
        match L {
            32 => privyseal_product_32,
            48 => privyseal_product_48,
            64 => privyseal_product_64,
            96 => privyseal_product_96,
            128 => privyseal_product_128,
            _ => panic!("no kernel for this size"),
        }
    };
    // SAFETY: L limbs each, and a workspace for L.
    unsafe { kernel(pointer(workspace), a.as_ptr(), b.as_ptr()) };
    reduce(out, m, workspace);
}

/// `out = a * a / R mod m`, almost reduced.
#[inline]
pub(crate) fn square<const L: usize>(
    out: &mut [Limb; L],
    a: &[Limb; L],
    m: Divisor<'_, L>,
    workspace: &mut Workspace<L>,
) {
    let kernel = match L {
        32 => privyseal_square_32,
        48 => privyseal_square_48,
        64 => privyseal_square_64,
        // Only the check of a signature squares so long ones.
        _ => return multiply(out, a, a, m, workspace),
    };
    // SAFETY: L limbs, and a workspace for L.
    unsafe { kernel(pointer(workspace), a.as_ptr()) };
    reduce(out, m, workspace);
}

/// `out = table[index]`; every entry is read.
#[inline]
pub(crate) fn select<const L: usize>(
    table: &[[Limb; L]; ENTRIES],
    index: Limb,
    out: &mut [Limb; L],
) {
    let kernel = match L {
        32 => privyseal_select_32,
        48 => privyseal_select_48,
        64 => privyseal_select_64,
        // Secret exponents are modulo primes.
        _ => return portable::select(table, index, out),
    };
    // SAFETY: 16 entries of L limbs one after the other, and L limbs.
    unsafe { kernel(table.as_ptr().cast(), index, out.as_mut_ptr()) };
}

/// `out = (low, high) / R mod m` of the workspace. Only after a product or a square of the same L.
#[inline]
fn reduce<const L: usize>(out: &mut [Limb; L], m: Divisor<'_, L>, workspace: &mut Workspace<L>) {
    let kernel = const {
        match L {
            32 => privyseal_reduce_32,
            48 => privyseal_reduce_48,
            64 => privyseal_reduce_64,
            96 => privyseal_reduce_96,
            128 => privyseal_reduce_128,
            _ => panic!("no kernel for this size"),
        }
    };
    let (shared, inverse) = (pointer(workspace), m.negated_inverse);
    // SAFETY: L limbs each, and a workspace for L.
    unsafe { kernel(shared, m.limbs.as_ptr(), inverse, out.as_mut_ptr()) };
}

/// The workspace as the kernels see it: `low`, `high`, `operand`, `spill`, as `repr(C)` lays it out.
fn pointer<const L: usize>(workspace: &mut Workspace<L>) -> *mut Limb {
    core::ptr::from_mut(workspace).cast()
}
