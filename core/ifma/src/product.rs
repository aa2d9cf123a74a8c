//! The product of two numbers divided by R, modulo a number: eight digits at a time.
//!
//! `unsafe`: the instructions exist on some processors only. A [`Multiplier`] exists only where the
//! processor was asked and has them, so its one call of them is sound. Nothing else here is unsafe: no
//! pointers, no memory but arrays.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m512i, _mm_extract_epi64, _mm256_extract_epi64, _mm512_add_epi64, _mm512_alignr_epi64,
    _mm512_castsi512_si128, _mm512_castsi512_si256, _mm512_extracti64x4_epi64,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_set_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512,
};

use crate::digits::{BITS, Digits, MASK, from_limbs, low, negated_inverse};

cpufeatures::new!(instructions, "avx512f", "avx512ifma");

pub(crate) fn is_available() -> bool {
    instructions::get()
}

/// Multiplies modulo `modulus`.
#[derive(Clone, Debug)]
pub(crate) struct Multiplier<const R: usize> {
    modulus: Digits<R>,
    /// -1 / modulus, modulo one digit.
    negated_inverse: u64,
}

impl<const R: usize> Multiplier<R> {
    /// None where the processor lacks the instructions.
    pub(crate) fn new(modulus: &[u64]) -> Option<Self> {
        let lowest = modulus.first().filter(|_| is_available())?;
        Some(Self {
            modulus: from_limbs(modulus),
            negated_inverse: negated_inverse(*lowest),
        })
    }

    /// `a` times `b` divided by R, modulo the modulus; below twice the modulus if both are.
    pub(crate) fn product(&self, a: &Digits<R>, b: &Digits<R>) -> Digits<R> {
        // SAFETY: `new` found the instructions.
        unsafe { product(self, a, b) }
    }
}

/// For each digit of `b`: adds the digit times `a` and what multiple of the modulus makes the lowest digit
/// zero, and drops that digit.
///
/// The registers' columns are not carried: at most four half products of 52 bits for each of 8 R digits fit
/// into 64, up to R = 127. But the multiple depends on what is carried into the lowest column, so that column is kept in
/// `lowest`, with whole products; the registers' own lowest is dropped with its digit, whatever is in it. The
/// column that is lowest next is added up in the same way, so that it need not come through the registers, which
/// takes longer than all else.
#[target_feature(enable = "avx512f,avx512ifma")]
fn product<const R: usize>(multiplier: &Multiplier<R>, a: &Digits<R>, b: &Digits<R>) -> Digits<R> {
    let Multiplier {
        modulus,
        negated_inverse,
    } = multiplier;
    let first = |digits: &Digits<R>| digits.first().copied().unwrap_or_default();
    let ([a0, a1, ..], [n0, n1, ..]) = (first(a), first(modulus));
    let a = a.map(|lanes| loaded(lanes));
    let n = modulus.map(|lanes| loaded(lanes));
    let zero = _mm512_setzero_si512();
    let (mut columns, mut lowest) = ([zero; R], 0_u64);
    for b in b.as_flattened() {
        let sum = wide(a0, *b) + u128::from(lowest);
        let multiple = low(sum).wrapping_mul(*negated_inverse) & MASK;
        let carried = low((sum + wide(n0, multiple)) >> BITS);
        // The next digit's lowest column: what the registers have of it, and what they are given now.
        let halves = (a1.wrapping_mul(*b) & MASK) + (n1.wrapping_mul(multiple) & MASK);
        lowest = carried + halves + columns.first().map_or(0, |first| lane_1(*first));

        let (b, multiple) = (everywhere(*b), everywhere(multiple));
        // Sums of their own: in one, each product would wait for the one before.
        let (mut lower, mut upper) = ([zero; R], [zero; R]);
        for (((lower, upper), a), n) in lower.iter_mut().zip(&mut upper).zip(a).zip(n) {
            *lower = _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(zero, a, b), n, multiple);
            *upper = _mm512_madd52hi_epu64(_mm512_madd52hi_epu64(zero, a, b), n, multiple);
        }
        for (column, lower) in columns.iter_mut().zip(lower) {
            *column = _mm512_add_epi64(*column, lower);
        }
        let mut above = zero;
        for column in columns.iter_mut().rev() {
            (*column, above) = (_mm512_alignr_epi64::<1>(above, *column), *column);
        }
        // The upper halves count one digit more.
        for (column, upper) in columns.iter_mut().zip(upper) {
            *column = _mm512_add_epi64(*column, upper);
        }
    }
    let mut product = columns.map(|register| stored(register));
    if let Some(first) = product.as_flattened_mut().first_mut() {
        *first = lowest;
    }
    carry(&mut product);
    product
}

/// Leaves 52 bits in each digit. Nothing is carried out of the highest.
fn carry<const R: usize>(digits: &mut Digits<R>) {
    let mut carry = 0;
    for digit in digits.as_flattened_mut() {
        let sum = *digit + carry;
        (*digit, carry) = (sum & MASK, sum >> BITS);
    }
}

fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

#[target_feature(enable = "avx512f")]
fn loaded(lanes: [u64; 8]) -> __m512i {
    let [l0, l1, l2, l3, l4, l5, l6, l7] = lanes.map(u64::cast_signed);
    _mm512_set_epi64(l7, l6, l5, l4, l3, l2, l1, l0)
}

#[target_feature(enable = "avx512f")]
fn stored(register: __m512i) -> [u64; 8] {
    let lower = _mm512_castsi512_si256(register);
    let upper = _mm512_extracti64x4_epi64::<1>(register);
    [
        _mm256_extract_epi64::<0>(lower),
        _mm256_extract_epi64::<1>(lower),
        _mm256_extract_epi64::<2>(lower),
        _mm256_extract_epi64::<3>(lower),
        _mm256_extract_epi64::<0>(upper),
        _mm256_extract_epi64::<1>(upper),
        _mm256_extract_epi64::<2>(upper),
        _mm256_extract_epi64::<3>(upper),
    ]
    .map(i64::cast_unsigned)
}

#[target_feature(enable = "avx512f")]
fn everywhere(digit: u64) -> __m512i {
    _mm512_set1_epi64(digit.cast_signed())
}

#[target_feature(enable = "avx512f")]
fn lane_1(register: __m512i) -> u64 {
    _mm_extract_epi64::<1>(_mm512_castsi512_si128(register)).cast_unsigned()
}
