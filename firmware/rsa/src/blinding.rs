//! Base blinding: what is raised to the private exponent is never a number the caller chose.
//!
//! A pair (A, A^-d) is kept, for a secret random A and the private exponent d. The number to sign is
//! multiplied by A before the private operation and its result by A^-d after it. This is r^e and 1 / r
//! of the textbooks with r = A^d; made this way round, no number has to be inverted: A^-d is one more
//! private operation, with the exponents p - 1 - dP and q - 1 - dQ, in constant time like the other.
//!
//! Squaring both gives the pair of A^2, so each signature has its own. After [`USES`] signatures a new
//! A is drawn.

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::MODULUS_LEN;
use crate::crt::{Exponents, private_power};
use crate::kernel::Workspace;
use crate::key::PrivateKey;
use crate::limbs::{FULL, Limb, from_bytes, mask_if_equal};
use crate::modulus::Modulus;
use crate::power::Scratch;

/// Signatures with one random A. A new one costs as much as a signature: with 64, 1.6 % of all the work.
pub(crate) const USES: u32 = 64;

/// Random bits beyond the size of the modulus, so that the residue is as good as uniform: FIPS 186-5
/// appendix A.2.1 wants 64 or more.
const EXTRA_LEN: usize = 32;

/// The pair, in Montgomery form modulo n. With no uses left it is zero, or worn.
pub(crate) struct Blinding {
    pub(crate) factor: [Limb; FULL],
    pub(crate) remover: [Limb; FULL],
    uses_left: u32,
}

/// A result that does not pass its check.
#[derive(Debug)]
pub(crate) struct Mismatch;

impl Blinding {
    pub(crate) const EMPTY: Self = Self {
        factor: [0; FULL],
        remover: [0; FULL],
        uses_left: 0,
    };

    pub(crate) fn is_worn(&self) -> bool {
        self.uses_left == 0
    }

    /// Draws a new A. An error of the generator leaves everything as it was.
    ///
    /// One step after the other, each with its own frame: the stack that this takes is that of a signature.
    pub(crate) fn draw<R: TryCryptoRng>(
        &mut self,
        key: &PrivateKey,
        rng: &mut R,
    ) -> Result<Result<(), Mismatch>, R::Error> {
        self.begin(&key.n, rng)?;
        inverse_signature(key, &mut self.remover);
        Ok(self.complete(&key.n))
    }

    /// Takes random bytes for A.
    #[inline(never)]
    fn begin<R: TryCryptoRng>(&mut self, n: &Modulus<FULL>, rng: &mut R) -> Result<(), R::Error> {
        let mut random = [0; MODULUS_LEN];
        let mut extra = [0; MODULUS_LEN];
        let (_, extra_random) = extra.split_at_mut(MODULUS_LEN - EXTRA_LEN);
        let drawn = rng
            .try_fill_bytes(&mut random)
            .and_then(|()| rng.try_fill_bytes(extra_random));
        if drawn.is_ok() {
            self.set(n, &random, &extra);
        }
        random.zeroize();
        extra.zeroize();
        drawn
    }

    /// A in Montgomery form, and, where A^-d will be, as a plain number.
    #[inline(never)]
    fn set(&mut self, n: &Modulus<FULL>, random: &[u8; MODULUS_LEN], extra: &[u8; MODULUS_LEN]) {
        self.uses_left = 0;
        let (mut low, mut high) = ([0; FULL], [0; FULL]);
        from_bytes(random, &mut low);
        from_bytes(extra, &mut high);
        let mut workspace = Workspace::new();
        n.enter_wide(&mut self.factor, &low, &high, &mut workspace);
        n.leave(&mut self.remover, &self.factor, &mut workspace);
        low.zeroize();
        high.zeroize();
        workspace.zeroize();
    }

    /// Brings A^-d into Montgomery form and checks it: (A^-d)^e A = 1. A fault that went unseen here would
    /// spoil every signature of this A.
    #[inline(never)]
    fn complete(&mut self, n: &Modulus<FULL>) -> Result<(), Mismatch> {
        let (mut number, mut one) = (self.remover, [0; FULL]);
        let mut workspace = Workspace::new();
        n.enter(&mut self.remover, &number, &mut workspace);
        public_power(n, &self.remover, &mut one, &mut workspace);
        n.multiply(&mut number, &one, &self.factor, &mut workspace);
        n.leave(&mut one, &number, &mut workspace);
        number.zeroize();
        workspace.zeroize();
        if mask_if_equal(&one, &Modulus::<FULL>::ONE) == 0 {
            return Err(Mismatch);
        }
        self.uses_left = USES;
        Ok(())
    }

    /// The pair for the next signature.
    pub(crate) fn step(&mut self, n: &Modulus<FULL>, workspace: &mut Workspace<FULL>) {
        let mut square = [0; FULL];
        for number in [&mut self.factor, &mut self.remover] {
            n.square(&mut square, number, workspace);
            number.copy_from_slice(&square);
        }
        square.zeroize();
        self.uses_left = self.uses_left.saturating_sub(1);
    }
}

impl Zeroize for Blinding {
    fn zeroize(&mut self) {
        self.factor.zeroize();
        self.remover.zeroize();
        self.uses_left.zeroize();
    }
}

/// `number = number ^ -d mod n`.
#[inline(never)]
fn inverse_signature(key: &PrivateKey, number: &mut [Limb; FULL]) {
    let mut p = key.p.negated_exponent();
    let mut q = key.q.negated_exponent();
    let mut scratch = Scratch::new();
    private_power(key, &Exponents { p: &p, q: &q }, number, &mut scratch);
    p.zeroize();
    q.zeroize();
}

/// `out = base ^ 65537 mod n`, both in Montgomery form.
pub(crate) fn public_power(
    n: &Modulus<FULL>,
    base: &[Limb; FULL],
    out: &mut [Limb; FULL],
    workspace: &mut Workspace<FULL>,
) {
    let mut other = [0; FULL];
    out.copy_from_slice(base);
    // 16 squares, two at a time: the value is in `out` again.
    for _ in 0..8 {
        n.square(&mut other, out, workspace);
        n.square(out, &other, workspace);
    }
    other.copy_from_slice(out);
    n.multiply(out, &other, base, workspace);
    other.zeroize();
}
