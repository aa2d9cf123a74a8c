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

use crate::crt::{Exponents, private_power};
use crate::kernel::Workspace;
use crate::key::PrivateKey;
use crate::limbs::{Limb, mask_if_equal};
use crate::modulus::Modulus;
use crate::power::Scratch;

/// Signatures with one random A. A new one costs as much as a signature: with 64, 1.6 % of all the work.
pub(crate) const USES: u32 = 64;

/// The pair, in Montgomery form modulo n. With no uses left it is zero, or worn.
pub(crate) struct Blinding<const N: usize> {
    pub(crate) factor: [Limb; N],
    pub(crate) remover: [Limb; N],
    uses_left: u32,
}

/// A result that does not pass its check.
#[derive(Debug)]
pub(crate) struct Mismatch;

impl<const N: usize> Blinding<N> {
    pub(crate) const EMPTY: Self = Self {
        factor: [0; N],
        remover: [0; N],
        uses_left: 0,
    };

    pub(crate) fn is_worn(&self) -> bool {
        self.uses_left == 0
    }

    /// Draws a new A. An error of the generator leaves everything as it was.
    ///
    /// One step after the other, each with its own frame: the stack that this takes is that of a signature.
    pub(crate) fn draw<const P: usize, R: TryCryptoRng>(
        &mut self,
        key: &PrivateKey<P, N>,
        rng: &mut R,
    ) -> Result<Result<(), Mismatch>, R::Error> {
        self.begin(&key.n, rng)?;
        inverse_signature(key, &mut self.remover);
        Ok(self.complete(&key.n))
    }

    /// A in Montgomery form, and, where A^-d will be, as a plain number.
    #[inline(never)]
    fn begin<R: TryCryptoRng>(&mut self, n: &Modulus<N>, rng: &mut R) -> Result<(), R::Error> {
        n.draw(&mut self.factor, rng)?;
        self.uses_left = 0;
        let mut workspace = Workspace::new();
        n.leave(&mut self.remover, &self.factor, &mut workspace);
        workspace.zeroize();
        Ok(())
    }

    /// Brings A^-d into Montgomery form and checks it: (A^-d)^e A = 1. A fault that went unseen here would
    /// spoil every signature of this A.
    #[inline(never)]
    fn complete(&mut self, n: &Modulus<N>) -> Result<(), Mismatch> {
        let (mut number, mut one) = (self.remover, [0; N]);
        let mut workspace = Workspace::new();
        n.enter(&mut self.remover, &number, &mut workspace);
        public_power(n, &self.remover, &mut one, &mut workspace);
        n.multiply(&mut number, &one, &self.factor, &mut workspace);
        n.leave(&mut one, &number, &mut workspace);
        number.zeroize();
        workspace.zeroize();
        if mask_if_equal(&one, &Modulus::<N>::ONE) == 0 {
            return Err(Mismatch);
        }
        self.uses_left = USES;
        Ok(())
    }

    /// The pair for the next signature.
    pub(crate) fn step(&mut self, n: &Modulus<N>, workspace: &mut Workspace<N>) {
        let mut square = [0; N];
        for number in [&mut self.factor, &mut self.remover] {
            n.square(&mut square, number, workspace);
            number.copy_from_slice(&square);
        }
        square.zeroize();
        self.uses_left = self.uses_left.saturating_sub(1);
    }
}

impl<const N: usize> Zeroize for Blinding<N> {
    fn zeroize(&mut self) {
        self.factor.zeroize();
        self.remover.zeroize();
        self.uses_left.zeroize();
    }
}

/// `number = number ^ -d mod n`.
#[inline(never)]
fn inverse_signature<const P: usize, const N: usize>(
    key: &PrivateKey<P, N>,
    number: &mut [Limb; N],
) {
    let mut p = key.p.negated_exponent();
    let mut q = key.q.negated_exponent();
    let mut scratch = Scratch::new();
    private_power(key, &Exponents { p: &p, q: &q }, number, &mut scratch);
    p.zeroize();
    q.zeroize();
}

/// `out = base ^ 65537 mod n`, both in Montgomery form.
pub(crate) fn public_power<const N: usize>(
    n: &Modulus<N>,
    base: &[Limb; N],
    out: &mut [Limb; N],
    workspace: &mut Workspace<N>,
) {
    let mut other = [0; N];
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
