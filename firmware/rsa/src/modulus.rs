//! A modulus with all that is computed once, and residues in Montgomery form.

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::kernel::{self, Divisor, Workspace};
use crate::limbs::{Limb, add_masked, draw, from_bytes, is_less, mask, sub_masked};

/// Random limbs beyond the size of a modulus, so that a residue is as good as uniform: FIPS 186-5 appendix
/// A.2.1 wants 64 bits or more.
const EXTRA: usize = 8;

/// An odd modulus with its top bit set, ready for Montgomery products; R is 2^(32 L).
pub(crate) struct Modulus<const L: usize> {
    limbs: [Limb; L],
    /// R^2 mod m, reduced: a product with it brings a number into Montgomery form.
    r_squared: [Limb; L],
    /// -1 / m mod 2^32.
    negated_inverse: Limb,
}

impl<const L: usize> Modulus<L> {
    /// The number 1.
    pub(crate) const ONE: [Limb; L] = one();

    /// Of no use before [`Modulus::set`].
    pub(crate) const EMPTY: Self = Self {
        limbs: [0; L],
        r_squared: [0; L],
        negated_inverse: 0,
    };

    /// Precomputes; the caller has made sure that the modulus is odd and has its top bit set.
    #[inline(never)]
    pub(crate) fn set(&mut self, limbs: &[Limb; L]) {
        self.limbs = *limbs;
        self.negated_inverse = negated_inverse(limbs.first().copied().unwrap_or(1));
        // R mod m = R - m, because m is above R / 2. In Montgomery form that is 1; doubled L / 2 times, and
        // squared six times, it is 2^(32 L), which is R.
        let mut power = [0; L];
        sub_masked(&mut power, limbs, Limb::MAX);
        for _ in 0..L.wrapping_shr(1) {
            let copy = power;
            let carry = add_masked(&mut power, &copy, Limb::MAX);
            let fits = is_less(&power, limbs);
            sub_masked(&mut power, limbs, mask(carry | (fits ^ 1)));
        }
        let mut workspace = Workspace::new();
        let mut square = [0; L];
        for _ in 0..3 {
            self.square(&mut square, &power, &mut workspace);
            self.square(&mut power, &square, &mut workspace);
        }
        self.reduce(&mut power);
        self.r_squared = power;
        power.zeroize();
        square.zeroize();
        workspace.zeroize();
    }

    #[cfg(test)]
    pub(crate) fn r_squared(&self) -> &[Limb; L] {
        &self.r_squared
    }

    pub(crate) fn limbs(&self) -> &[Limb; L] {
        &self.limbs
    }

    /// `out = a * b / R`, almost reduced.
    #[inline]
    pub(crate) fn multiply(
        &self,
        out: &mut [Limb; L],
        a: &[Limb; L],
        b: &[Limb; L],
        workspace: &mut Workspace<L>,
    ) {
        kernel::multiply(out, a, b, self.divisor(), workspace);
    }

    /// `out = a * a / R`, almost reduced.
    #[inline]
    pub(crate) fn square(&self, out: &mut [Limb; L], a: &[Limb; L], workspace: &mut Workspace<L>) {
        kernel::square(out, a, self.divisor(), workspace);
    }

    /// `out = a * R`: into Montgomery form, almost reduced.
    pub(crate) fn enter(&self, out: &mut [Limb; L], a: &[Limb; L], workspace: &mut Workspace<L>) {
        self.multiply(out, a, &self.r_squared, workspace);
    }

    /// `out = (high * R + low) * R mod m`: a number of twice the length, into Montgomery form, reduced.
    pub(crate) fn enter_wide(
        &self,
        out: &mut [Limb; L],
        low: &[Limb; L],
        high: &[Limb; L],
        workspace: &mut Workspace<L>,
    ) {
        let mut part = [0; L];
        self.enter(&mut part, high, workspace);
        self.enter(out, &part, workspace);
        self.enter(&mut part, low, workspace);
        self.reduce(out);
        self.reduce(&mut part);
        let carry = add_masked(out, &part, Limb::MAX);
        let fits = is_less(out, &self.limbs);
        sub_masked(out, &self.limbs, mask(carry | (fits ^ 1)));
        part.zeroize();
    }

    /// `out` = a random residue in Montgomery form, as good as uniform, reduced. An error of the generator
    /// leaves it as it was.
    #[inline(never)]
    pub(crate) fn draw<R: TryCryptoRng>(
        &self,
        out: &mut [Limb; L],
        rng: &mut R,
    ) -> Result<(), R::Error> {
        let (mut low, mut high, mut extra) = ([0; L], [0; L], [0; EXTRA]);
        let drawn = draw(rng, &mut low).and_then(|()| draw(rng, &mut extra));
        for (limb, value) in high.iter_mut().zip(&extra) {
            *limb = *value;
        }
        if drawn.is_ok() {
            let mut workspace = Workspace::new();
            self.enter_wide(out, &low, &high, &mut workspace);
            workspace.zeroize();
        }
        low.zeroize();
        high.zeroize();
        extra.zeroize();
        drawn
    }

    /// `out = a / R mod m`: out of Montgomery form, reduced.
    pub(crate) fn leave(&self, out: &mut [Limb; L], a: &[Limb; L], workspace: &mut Workspace<L>) {
        self.multiply(out, a, &Self::ONE, workspace);
        self.reduce(out);
    }

    /// Whether these bytes are as many as the modulus has, and a number below it.
    #[inline(never)]
    pub(crate) fn is_above(&self, bytes: &[u8]) -> bool {
        let mut number = [0; L];
        bytes.len() == size_of_val(&number) && {
            from_bytes(bytes, &mut number);
            is_less(&number, &self.limbs) == 1
        }
    }

    /// `a mod m` for an almost reduced number, which is below 2 m.
    pub(crate) fn reduce(&self, a: &mut [Limb; L]) {
        let fits = is_less(a, &self.limbs);
        sub_masked(a, &self.limbs, mask(fits ^ 1));
    }

    /// `a = a - b mod m`, for reduced numbers.
    pub(crate) fn subtract(&self, a: &mut [Limb; L], b: &[Limb; L]) {
        let borrow = sub_masked(a, b, Limb::MAX);
        add_masked(a, &self.limbs, mask(borrow));
    }

    pub(crate) fn divisor(&self) -> Divisor<'_, L> {
        Divisor {
            limbs: &self.limbs,
            negated_inverse: self.negated_inverse,
        }
    }
}

impl<const L: usize> Zeroize for Modulus<L> {
    fn zeroize(&mut self) {
        self.limbs.zeroize();
        self.r_squared.zeroize();
        self.negated_inverse.zeroize();
    }
}

const fn one<const L: usize>() -> [Limb; L] {
    let mut one = [0; L];
    if let Some(lowest) = one.first_mut() {
        *lowest = 1;
    }
    one
}

/// -1 / m mod 2^32 for an odd m, by Newton's iteration: each step doubles the correct bits.
pub(crate) fn negated_inverse(m: Limb) -> Limb {
    // m * m = 1 mod 8 for odd m: three bits to begin with, then 6, 12, 24, 48.
    let inverse = (0..4).fold(m, |x, _| {
        x.wrapping_mul(2_u32.wrapping_sub(m.wrapping_mul(x)))
    });
    inverse.wrapping_neg()
}
