//! Numbers as arrays of 32-bit limbs, least significant first, and the steps all arithmetic is made of.
//!
//! Everything takes the same steps whatever the values: lengths are constants, choices are masks.

use core::hint::black_box;

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

/// One digit of a number: what a Cortex-M multiplies at once.
pub(crate) type Limb = u32;

/// `a * b + c + d` as (low, high) limbs. It cannot overflow: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1.
/// On Arm with the DSP extension this is one instruction, UMAAL.
#[inline]
pub(crate) fn mac(a: Limb, b: Limb, c: Limb, d: Limb) -> (Limb, Limb) {
    split(
        u64::from(a)
            .wrapping_mul(u64::from(b))
            .wrapping_add(u64::from(c))
            .wrapping_add(u64::from(d)),
    )
}

/// The low and the high limb of a double limb.
#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "cut in two, nothing is lost"
)]
fn split(wide: u64) -> (Limb, Limb) {
    (wide as Limb, (wide >> 32) as Limb)
}

/// `x += y & mask`, for numbers of the same length; returns the carry, 0 or 1.
#[inline]
pub(crate) fn add_masked(x: &mut [Limb], y: &[Limb], mask: Limb) -> Limb {
    let mut carry = 0;
    for (x, &y) in x.iter_mut().zip(y) {
        let sum = u64::from(*x)
            .wrapping_add(u64::from(y & mask))
            .wrapping_add(u64::from(carry));
        (*x, carry) = split(sum);
    }
    carry
}

/// `x -= y & mask`, for numbers of the same length; returns the borrow, 0 or 1.
#[inline]
pub(crate) fn sub_masked(x: &mut [Limb], y: &[Limb], mask: Limb) -> Limb {
    let mut borrow: Limb = 0;
    for (x, &y) in x.iter_mut().zip(y) {
        let difference = u64::from(*x)
            .wrapping_sub(u64::from(y & mask))
            .wrapping_sub(u64::from(borrow));
        let high;
        (*x, high) = split(difference);
        borrow = high & 1;
    }
    borrow
}

/// The borrow of `x - y`: 1 if `x < y`, else 0.
#[inline]
pub(crate) fn is_less(x: &[Limb], y: &[Limb]) -> Limb {
    let mut borrow: Limb = 0;
    for (&x, &y) in x.iter().zip(y) {
        let difference = u64::from(x)
            .wrapping_sub(u64::from(y))
            .wrapping_sub(u64::from(borrow));
        borrow = split(difference).1 & 1;
    }
    borrow
}

/// `out = x * y + z`, where `out` has room for the whole product.
pub(crate) fn multiply_add<const P: usize, const N: usize>(
    x: &[Limb; P],
    y: &[Limb; P],
    z: &[Limb; P],
    out: &mut [Limb; N],
) {
    const { assert!(N == P.wrapping_mul(2), "a product has twice the limbs") };
    let (low, high) = out.split_at_mut(P);
    low.copy_from_slice(z);
    high.fill(0);
    for (skip, &x) in x.iter().enumerate() {
        let mut carry = 0;
        let mut columns = out.iter_mut().skip(skip);
        for (&y, column) in y.iter().zip(&mut columns) {
            (*column, carry) = mac(x, y, *column, carry);
        }
        // The column after the row is still zero: no earlier row has reached it.
        if let Some(column) = columns.next() {
            *column = carry;
        }
    }
}

/// All ones if `bit` is 1, zero if it is 0; the compiler cannot know which and so cannot branch on it.
#[inline]
pub(crate) fn mask(bit: Limb) -> Limb {
    black_box(0_u32.wrapping_sub(bit))
}

/// All ones if `x` is 0, else zero.
#[inline]
pub(crate) fn mask_if_zero(x: Limb) -> Limb {
    // Below zero only for x = 0, as 64-bit numbers.
    mask(split(u64::from(x).wrapping_sub(1)).1 & 1)
}

/// All ones if the numbers are equal, else zero.
pub(crate) fn mask_if_equal(x: &[Limb], y: &[Limb]) -> Limb {
    mask_if_zero(x.iter().zip(y).fold(0, |bits, (x, y)| bits | (x ^ y)))
}

/// A number of random bits, from one request.
#[inline(never)]
pub(crate) fn draw<const L: usize, R: TryCryptoRng>(
    rng: &mut R,
    out: &mut [Limb; L],
) -> Result<(), R::Error> {
    let mut bytes = [[0; 4]; L];
    let drawn = rng.try_fill_bytes(bytes.as_flattened_mut());
    from_bytes(bytes.as_flattened(), out);
    bytes.zeroize();
    drawn
}

/// Reads a big-endian number of exactly `4 * L` bytes.
pub(crate) fn from_bytes<const L: usize>(bytes: &[u8], out: &mut [Limb; L]) {
    debug_assert_eq!(bytes.len(), L.wrapping_mul(4));
    for (limb, word) in out.iter_mut().zip(bytes.rchunks_exact(4)) {
        *limb = word
            .iter()
            .fold(0, |limb, &byte| (limb << 8) | Limb::from(byte));
    }
}

/// Writes a number as `4 * L` big-endian bytes, to the beginning of `out`; returns these and the rest.
pub(crate) fn to_bytes<'a, const L: usize>(
    limbs: &[Limb; L],
    out: &'a mut [u8],
) -> (&'a [u8], &'a mut [u8]) {
    let (written, rest) = out
        .split_at_mut_checked(size_of_val(limbs))
        .unwrap_or_default();
    for (word, limb) in written.rchunks_exact_mut(4).zip(limbs) {
        word.copy_from_slice(&limb.to_be_bytes());
    }
    (written, rest)
}
