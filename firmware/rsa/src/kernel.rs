//! Montgomery products: the inner loops, nearly all of a signature's time.
//!
//! For a modulus m of L limbs with its top bit set, and R = 2^(32 L), a product is
//! `a * b / R mod m`. All values here are *almost* reduced: below R, not necessarily below m. Inputs
//! below R give `(a b + k m) / R < R + m` for some k < R, so one subtraction of m, made exactly when
//! the sum does not fit into L limbs, brings the result back below R. That is done with a mask.

#[cfg_attr(
    all(feature = "umaal", target_arch = "arm", not(feature = "measure")),
    expect(
        dead_code,
        reason = "there the assembly is used, and nobody compares it with these"
    )
)]
pub(crate) mod portable;
#[cfg(all(feature = "umaal", target_arch = "arm"))]
pub(crate) mod umaal;

use zeroize::Zeroize;

use crate::limbs::Limb;
#[cfg(not(all(feature = "umaal", target_arch = "arm")))]
use portable as fastest;
#[cfg(all(feature = "umaal", target_arch = "arm"))]
use umaal as fastest;

/// Entries of a table of powers: all windows of four bits.
pub(crate) const ENTRIES: usize = 16;

/// What the kernels write besides their result. It holds secrets until it is wiped.
#[repr(C)]
pub(crate) struct Workspace<const L: usize> {
    /// Columns 0 to L - 1 of a full product.
    low: [Limb; L],
    /// Columns L to 2 L - 1.
    high: [Limb; L],
    /// The operand that is gone through once per row, at a fixed distance from the columns.
    operand: [Limb; L],
    /// What the assembly has no register for.
    spill: [Limb; 8],
}

impl<const L: usize> Workspace<L> {
    pub(crate) const fn new() -> Self {
        Self {
            low: [0; L],
            high: [0; L],
            operand: [0; L],
            spill: [0; 8],
        }
    }
}

#[cfg(test)]
impl<const L: usize> Workspace<L> {
    pub(crate) fn limbs(&self) -> impl Iterator<Item = &Limb> {
        let parts = self.low.iter().chain(&self.high).chain(&self.operand);
        parts.chain(&self.spill)
    }
}

impl<const L: usize> Zeroize for Workspace<L> {
    fn zeroize(&mut self) {
        self.low.zeroize();
        self.high.zeroize();
        self.operand.zeroize();
        self.spill.zeroize();
    }
}

/// A modulus as the kernels need it: odd, top bit set, with `-1 / m mod 2^32`.
#[derive(Clone, Copy)]
pub(crate) struct Divisor<'a, const L: usize> {
    pub(crate) limbs: &'a [Limb; L],
    pub(crate) negated_inverse: Limb,
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
    fastest::multiply(out, a, b, m, workspace);
}

/// `out = a * a / R mod m`, almost reduced.
#[inline]
pub(crate) fn square<const L: usize>(
    out: &mut [Limb; L],
    a: &[Limb; L],
    m: Divisor<'_, L>,
    workspace: &mut Workspace<L>,
) {
    fastest::square(out, a, m, workspace);
}

/// `out = table[index]`. Every entry is read, so that the addresses say nothing.
#[inline]
pub(crate) fn select<const L: usize>(
    table: &[[Limb; L]; ENTRIES],
    index: Limb,
    out: &mut [Limb; L],
) {
    fastest::select(table, index, out);
}

#[cfg(test)]
mod tests;
