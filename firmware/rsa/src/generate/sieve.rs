//! Trial division: nine candidates in ten have a factor below 2^16, and so need no power.

use crate::limbs::{Limb, mac};
use crate::modulus::negated_inverse;

/// Primes from 3 to 65,519: all odd ones of 16 bits but the largest, so that their number is even.
const COUNT: usize = 6_540;

static PRIMES: [u16; COUNT] = primes();

/// Whether one of [`PRIMES`] divides `x`. If none does, the steps are the same for every `x`.
pub(super) fn has_small_factor<const P: usize>(x: &[Limb; P]) -> bool {
    let (pairs, _) = PRIMES.as_chunks();
    pairs
        .iter()
        .any(|&[a, b]| has_factor(x, a.into(), b.into()))
}

/// Whether one of two primes below 2^16 divides `x`, without a division: on a Cortex-M that takes longer for some
/// numbers than for others.
fn has_factor<const P: usize>(x: &[Limb; P], a: Limb, b: Limb) -> bool {
    let m = a.wrapping_mul(b);
    let inverse = negated_inverse(m);
    // x 2^(-32 P) mod m, between 0 and m: each step adds the multiple of m that clears the lowest limb.
    let residue = x.iter().fold(0, |carry: Limb, &limb| {
        let multiple = limb.wrapping_add(carry).wrapping_mul(inverse);
        mac(multiple, m, limb, carry).1
    });
    // Divisible by a if the product with b is divisible by m. One more such step leaves 0 or m then.
    let divides = |other: Limb| {
        let (low, high) = mac(residue, other, 0, 0);
        let (_, carry) = mac(low.wrapping_mul(inverse), m, low, 0);
        let reduced = high.wrapping_add(carry);
        reduced == 0 || reduced == m
    };
    divides(a) | divides(b)
}

/// Eratosthenes' sieve, at compile time.
#[expect(
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    reason = "evaluated by the compiler, which refuses an overflow or an index that is none"
)]
const fn primes() -> [u16; COUNT] {
    let mut is_composite = [false; 1 << 16];
    let mut primes = [0; COUNT];
    let (mut count, mut number) = (0, 3);
    while count < COUNT {
        if !is_composite[number] {
            primes[count] = number as u16;
            count += 1;
            let mut multiple = number * number;
            while multiple < is_composite.len() {
                is_composite[multiple] = true;
                multiple += 2 * number;
            }
        }
        number += 2;
    }
    primes
}
