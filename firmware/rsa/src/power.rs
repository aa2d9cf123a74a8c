//! Exponentiation with a secret exponent: fixed windows of four bits, the table read in full each time.

use zeroize::Zeroize;

use crate::kernel::{ENTRIES, Workspace, select};
use crate::limbs::Limb;
use crate::modulus::Modulus;

/// Bits of a window.
const WINDOW: u32 = ENTRIES.ilog2();

/// Everything an exponentiation writes besides its result. Zero before, and wiped by the caller after.
pub(crate) struct Scratch<const L: usize> {
    table: [[Limb; L]; ENTRIES],
    entry: [Limb; L],
    other: [Limb; L],
    pub(crate) workspace: Workspace<L>,
}

impl<const L: usize> Scratch<L> {
    pub(crate) const fn new() -> Self {
        Self {
            table: [[0; L]; ENTRIES],
            entry: [0; L],
            other: [0; L],
            workspace: Workspace::new(),
        }
    }
}

#[cfg(test)]
impl<const L: usize> Scratch<L> {
    pub(crate) fn limbs(&self) -> impl Iterator<Item = &Limb> {
        let parts = self.table.iter().flatten();
        let parts = parts.chain(&self.entry).chain(&self.other);
        parts.chain(self.workspace.limbs())
    }
}

impl<const L: usize> Zeroize for Scratch<L> {
    fn zeroize(&mut self) {
        self.table.zeroize();
        self.entry.zeroize();
        self.other.zeroize();
        self.workspace.zeroize();
    }
}

/// `base = base ^ exponent mod m`, both sides in Montgomery form, almost reduced.
///
/// The number of products depends on the length of the exponent alone.
pub(crate) fn power<const L: usize>(
    m: &Modulus<L>,
    base: &mut [Limb; L],
    exponent: &[Limb; L],
    scratch: &mut Scratch<L>,
) {
    let Scratch {
        table,
        entry,
        other,
        workspace,
    } = scratch;
    fill(m, table, base, workspace);
    m.enter(base, &Modulus::ONE, workspace);
    // Two buffers take turns: five products per window leave the value in `other`.
    let (mut value, mut next) = (base, other);
    for &limb in exponent.iter().rev() {
        for window in (0..Limb::BITS).step_by(4).rev() {
            for _ in 0..WINDOW {
                m.square(next, value, workspace);
                core::mem::swap(&mut value, &mut next);
            }
            select(table, (limb >> window) & 15, entry);
            m.multiply(next, value, entry, workspace);
            core::mem::swap(&mut value, &mut next);
        }
    }
    // An even number of windows: `value` is the caller's buffer again.
}

/// The powers 0 to 15 of the base, in Montgomery form.
fn fill<const L: usize>(
    m: &Modulus<L>,
    table: &mut [[Limb; L]; ENTRIES],
    base: &[Limb; L],
    workspace: &mut Workspace<L>,
) {
    let mut entries = table.iter_mut();
    let Some(mut last) = entries.next() else {
        return;
    };
    m.enter(last, &Modulus::ONE, workspace);
    for entry in entries {
        m.multiply(entry, last, base, workspace);
        last = entry;
    }
}
