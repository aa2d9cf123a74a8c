//! The Miller-Rabin test (FIPS 186-5 appendix B.3.1).

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::limbs::{Limb, is_less, mask, mask_if_equal, sub_masked};
use crate::modulus::Modulus;
use crate::power::{Scratch, power};

/// Whether `w`, odd and with its top bit set, passes one round with a random base. Of primes those are passed over
/// that are 1 modulo 2^32.
///
/// The steps are the same for every `w` that passes. B.3.1 draws bases until one is between 1 and w - 1,
/// which tells of w; here a longer number is drawn and reduced, as good as uniform.
#[inline(never)]
pub(super) fn passes<const P: usize, R: TryCryptoRng>(
    w: &[Limb; P],
    rng: &mut R,
) -> Result<bool, R::Error> {
    // w - 1 = 2^a m with an odd m. w is odd: one less does not borrow.
    let mut exponent = *w;
    sub_masked(&mut exponent, &Modulus::<P>::ONE, Limb::MAX);
    let a = exponent.first().map_or(0, |lowest| lowest.trailing_zeros());
    shift_right(&mut exponent, a);
    let mut modulus = Modulus::EMPTY;
    modulus.set(w);
    let mut z = [0; P];
    let outcome = modulus
        .draw(&mut z, rng)
        .map(|()| a < Limb::BITS && is_probable(&modulus, &mut z, &exponent, a));
    exponent.zeroize();
    z.zeroize();
    modulus.zeroize();
    outcome
}

/// Steps 4.3 to 4.5 with the base `z` in Montgomery form: z^m is 1 or -1, or a square of it, up to the
/// (a - 1)th, is -1.
#[inline(never)]
fn is_probable<const P: usize>(
    modulus: &Modulus<P>,
    z: &mut [Limb; P],
    m: &[Limb; P],
    a: u32,
) -> bool {
    let mut scratch = Scratch::new();
    power(modulus, z, m, &mut scratch);
    let Scratch { workspace, .. } = &mut scratch;
    modulus.reduce(z);
    let (mut one, mut square) = ([0; P], [0; P]);
    modulus.enter(&mut one, &Modulus::<P>::ONE, workspace);
    modulus.reduce(&mut one);
    let mut minus_one = *modulus.limbs();
    sub_masked(&mut minus_one, &one, Limb::MAX);
    let mut passes = mask_if_equal(z, &one) | mask_if_equal(z, &minus_one);
    for squared in 1..Limb::BITS {
        let counts = mask(is_less(&[squared], &[a]));
        // Where no square is left and none was -1, w is composite: that may be seen.
        if passes | counts == 0 {
            break;
        }
        modulus.square(&mut square, z, workspace);
        modulus.reduce(&mut square);
        z.copy_from_slice(&square);
        passes |= mask_if_equal(z, &minus_one) & counts;
    }
    one.zeroize();
    minus_one.zeroize();
    square.zeroize();
    scratch.zeroize();
    passes != 0
}

/// `x >>= bits`, for less than 32.
fn shift_right<const P: usize>(x: &mut [Limb; P], bits: u32) {
    let mut above = 0;
    for limb in x.iter_mut().rev() {
        let low = (*limb).wrapping_shr(bits);
        // The bits of the limb above, in two shifts: one by 32 is none.
        let high = Limb::wrapping_shl(above, 1).wrapping_shl(31_u32.wrapping_sub(bits));
        above = *limb;
        *limb = low | high;
    }
}
