//! The kernels in safe Rust: what runs where there is no assembly, and what the assembly is judged by.
//!
//! "Finely integrated operand scanning" (Koc, Acar, Kaliski 1996, section 6): one pass per limb of `b`
//! adds a row of `a * b` and the multiple of `m` that clears the lowest column, and shifts down.

use crate::kernel::{Divisor, ENTRIES, Workspace};
use crate::limbs::{Limb, mac, mask, mask_if_zero, sub_masked};

/// `out = a * b / R mod m`, almost reduced.
#[inline(never)]
pub(crate) fn multiply<const L: usize>(
    out: &mut [Limb; L],
    a: &[Limb; L],
    b: &[Limb; L],
    m: Divisor<'_, L>,
    _: &mut Workspace<L>,
) {
    out.fill(0);
    // The column above `out`: 0 or 1.
    let mut top = 0;
    for &b in b {
        top = row(out, top, a, b, m);
    }
    sub_masked(out, m.limbs, mask(top));
}

/// `out = a * a / R mod m`, almost reduced.
pub(crate) fn square<const L: usize>(
    out: &mut [Limb; L],
    a: &[Limb; L],
    m: Divisor<'_, L>,
    workspace: &mut Workspace<L>,
) {
    multiply(out, a, a, m, workspace);
}

/// `out = table[index]`; every entry is read.
#[inline(never)]
pub(crate) fn select<const L: usize>(
    table: &[[Limb; L]; ENTRIES],
    index: Limb,
    out: &mut [Limb; L],
) {
    out.fill(0);
    for (entry, position) in table.iter().zip(0..) {
        let mask = mask_if_zero(index ^ position);
        for (out, limb) in out.iter_mut().zip(entry) {
            *out |= limb & mask;
        }
    }
}

/// `columns = (columns + a * b + k * m) / 2^32` for the k that makes the division exact; returns the new top.
#[inline]
fn row<const L: usize>(
    columns: &mut [Limb; L],
    top: Limb,
    a: &[Limb; L],
    b: Limb,
    m: Divisor<'_, L>,
) -> Limb {
    let mut columns = columns.iter_mut();
    let mut terms = a.iter().zip(m.limbs);
    let (Some(mut below), Some((&a, &n))) = (columns.next(), terms.next()) else {
        return 0;
    };
    let (lowest, mut carry_a) = mac(a, b, *below, 0);
    let multiple = lowest.wrapping_mul(m.negated_inverse);
    let (_, mut carry_m) = mac(multiple, n, lowest, 0);
    for (column, (&a, &n)) in columns.zip(terms) {
        let sum;
        (sum, carry_a) = mac(a, b, *column, carry_a);
        (*below, carry_m) = mac(multiple, n, sum, carry_m);
        below = column;
    }
    let sum;
    (sum, carry_a) = mac(1, top, carry_a, carry_m);
    *below = sum;
    carry_a
}
