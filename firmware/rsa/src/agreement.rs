//! The assembly against the portable kernels, on the part itself: the host cannot run it.

use rand_core::Rng;

use crate::kernel::{ENTRIES, Workspace, portable, umaal};
use crate::limbs::Limb;
use crate::modulus::Modulus;

/// Whether both kinds of kernels give the same results, for so many random inputs and as many made of
/// limbs at the edges.
pub fn kernels_agree<R: Rng>(rng: &mut R, rounds: u32) -> bool {
    (0..rounds).all(|_| {
        agree::<32, R>(rng)
            && agree::<48, R>(rng)
            && agree::<64, R>(rng)
            && agree::<96, R>(rng)
            && agree::<128, R>(rng)
    })
}

fn agree<const L: usize, R: Rng>(rng: &mut R) -> bool {
    [uniform, edges]
        .into_iter()
        .all(|draw: fn(&mut R) -> Limb| {
            let mut number = || core::array::from_fn::<Limb, L, _>(|_| draw(rng));
            let (a, b, mut m) = (number(), number(), number());
            let table: [[Limb; L]; ENTRIES] = core::array::from_fn(|_| number());
            for lowest in m.iter_mut().take(1) {
                *lowest |= 1;
            }
            for highest in m.iter_mut().rev().take(1) {
                *highest |= 1 << 31;
            }
            let (mut modulus, mut workspace) = (Modulus::EMPTY, Workspace::new());
            modulus.set(&m);
            let m = modulus.divisor();
            let (mut ours, mut judged) = ([0; L], [0; L]);
            umaal::multiply(&mut ours, &a, &b, m, &mut workspace);
            portable::multiply(&mut judged, &a, &b, m, &mut workspace);
            let products = ours == judged;
            umaal::square(&mut ours, &a, m, &mut workspace);
            portable::square(&mut judged, &a, m, &mut workspace);
            let squares = ours == judged;
            let selections = table.iter().zip(0..).all(|(entry, index)| {
                umaal::select(&table, index, &mut ours);
                ours == *entry
            });
            products && squares && selections
        })
}

fn uniform<R: Rng>(rng: &mut R) -> Limb {
    rng.next_u32()
}

fn edges<R: Rng>(rng: &mut R) -> Limb {
    match rng.next_u32() % 4 {
        0 => 0,
        1 => 1,
        2 => Limb::MAX - 1,
        _ => Limb::MAX,
    }
}
