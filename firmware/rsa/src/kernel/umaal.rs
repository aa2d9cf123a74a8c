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
use crate::limbs::{FULL, HALF, Limb};

global_asm!(include_str!("umaal.s"), options(raw));

// Their contracts stand at each in `umaal.s`.
unsafe extern "C" {
    fn privyseal_product_32(workspace: *mut Limb, a: *const Limb, b: *const Limb);
    fn privyseal_product_64(workspace: *mut Limb, a: *const Limb, b: *const Limb);
    fn privyseal_square_32(workspace: *mut Limb, a: *const Limb);
    fn privyseal_reduce_32(workspace: *mut Limb, m: *const Limb, inverse: Limb, out: *mut Limb);
    fn privyseal_reduce_64(workspace: *mut Limb, m: *const Limb, inverse: Limb, out: *mut Limb);
    fn privyseal_select_32(table: *const Limb, index: Limb, out: *mut Limb);
}

/// `out = a * b / R mod m`, almost reduced.
#[inline]
pub(super) fn multiply<const L: usize>(
    out: &mut [Limb; L],
    a: &[Limb; L],
    b: &[Limb; L],
    m: Divisor<'_, L>,
    workspace: &mut Workspace<L>,
) {
    let shared = pointer(workspace);
    if L == HALF {
        // SAFETY: L limbs each, and a workspace for L.
        unsafe { privyseal_product_32(shared, a.as_ptr(), b.as_ptr()) };
    } else {
        const { assert!(L == HALF || L == FULL, "no kernel for this size") };
        // SAFETY: as above.
        unsafe { privyseal_product_64(shared, a.as_ptr(), b.as_ptr()) };
    }
    reduce(out, m, workspace);
}

/// `out = a * a / R mod m`, almost reduced.
#[inline]
pub(super) fn square<const L: usize>(
    out: &mut [Limb; L],
    a: &[Limb; L],
    m: Divisor<'_, L>,
    workspace: &mut Workspace<L>,
) {
    if L == HALF {
        // SAFETY: L limbs, and a workspace for L.
        unsafe { privyseal_square_32(pointer(workspace), a.as_ptr()) };
        reduce(out, m, workspace);
    } else {
        multiply(out, a, a, m, workspace);
    }
}

/// `out = table[index]`; every entry is read.
#[inline]
pub(super) fn select<const L: usize>(
    table: &[[Limb; L]; ENTRIES],
    index: Limb,
    out: &mut [Limb; L],
) {
    if L == HALF {
        // SAFETY: 16 entries of L limbs one after the other, and L limbs.
        unsafe { privyseal_select_32(table.as_ptr().cast(), index, out.as_mut_ptr()) };
    } else {
        portable::select(table, index, out);
    }
}

/// `out = (low, high) / R mod m` of the workspace. Only after a product or a square of the same L.
#[inline]
fn reduce<const L: usize>(out: &mut [Limb; L], m: Divisor<'_, L>, workspace: &mut Workspace<L>) {
    let (shared, inverse) = (pointer(workspace), m.negated_inverse);
    if L == HALF {
        // SAFETY: L limbs each, and a workspace for L.
        unsafe { privyseal_reduce_32(shared, m.limbs.as_ptr(), inverse, out.as_mut_ptr()) };
    } else {
        const { assert!(L == HALF || L == FULL, "no kernel for this size") };
        // SAFETY: as above.
        unsafe { privyseal_reduce_64(shared, m.limbs.as_ptr(), inverse, out.as_mut_ptr()) };
    }
}

/// The workspace as the kernels see it: `low`, `high`, `operand`, `spill`, as `repr(C)` lays it out.
fn pointer<const L: usize>(workspace: &mut Workspace<L>) -> *mut Limb {
    core::ptr::from_mut(workspace).cast()
}
