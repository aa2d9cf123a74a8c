//! The private operation, by the Chinese remainder theorem (RFC 8017 section 5.1.2, step 2b).

use zeroize::Zeroize;

use crate::key::PrivateKey;
use crate::limbs::{Limb, multiply_add};
use crate::power::{Scratch, power};
use crate::prime::PrimeModulus;

/// Exponents modulo p - 1 and q - 1.
pub(crate) struct Exponents<'a, const P: usize> {
    pub(crate) p: &'a [Limb; P],
    pub(crate) q: &'a [Limb; P],
}

/// `number = number ^ exponent mod n` for any number of the modulus's length; the result is reduced. The scratch
/// is wiped.
pub(crate) fn private_power<const P: usize, const N: usize>(
    key: &PrivateKey<P, N>,
    exponents: &Exponents<'_, P>,
    number: &mut [Limb; N],
    scratch: &mut Scratch<P>,
) {
    let (mut of_p, mut of_q) = ([0; P], [0; P]);
    share(&key.p, exponents.p, number, &mut of_p, scratch);
    share(&key.q, exponents.q, number, &mut of_q, scratch);
    join(key, &mut of_p, &of_q, number, scratch);
    of_p.zeroize();
    of_q.zeroize();
    scratch.zeroize();
}

/// `number = m_q + h q` with `h = (m_p - m_q) / q mod p`, which is below p q.
#[inline(never)]
fn join<const P: usize, const N: usize>(
    key: &PrivateKey<P, N>,
    of_p: &mut [Limb; P],
    of_q: &[Limb; P],
    number: &mut [Limb; N],
    scratch: &mut Scratch<P>,
) {
    let (mut h, p) = (*of_q, &key.p.modulus);
    // m_q is below q, which is below 2 p.
    p.reduce(&mut h);
    p.subtract(of_p, &h);
    p.multiply(&mut h, of_p, &key.q_inverse, &mut scratch.workspace);
    p.reduce(&mut h);
    multiply_add(&h, key.q.modulus.limbs(), of_q, number);
    h.zeroize();
}

/// The power modulo one prime, reduced.
#[inline(never)]
fn share<const P: usize, const N: usize>(
    prime: &PrimeModulus<P>,
    exponent: &[Limb; P],
    number: &[Limb; N],
    out: &mut [Limb; P],
    scratch: &mut Scratch<P>,
) {
    let p = &prime.modulus;
    let ([low, high], []) = number.as_chunks::<P>() else {
        return;
    };
    p.enter_wide(out, low, high, &mut scratch.workspace);
    power(p, out, exponent, scratch);
    let mut value = *out;
    p.leave(out, &value, &mut scratch.workspace);
    value.zeroize();
}

#[cfg(test)]
mod tests;
