//! A key of random primes (FIPS 186-5 appendix A.1.3, "probable primes"), in steps.
//!
//! Each candidate is drawn by itself: A.1.3 has no search upwards from one, whose length would tell of the
//! prime it ends at, and which prefers primes after long gaps. So a candidate that is rejected has nothing to
//! do with the primes that stay, and may take its own time: how many there were, and why each was rejected, is
//! no secret. What is done with a prime that stays takes the same steps whatever its value.

use core::fmt;

use rand_core::TryCryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::engine::{Engine, burn_stack};
use crate::error::{GenerateError, Prime, SignError};
use crate::key::PrivateKey;
use crate::limbs::{Limb, draw, is_less};
use crate::prime::{are_far_apart, modulo_exponent};
use crate::{DIGEST_LEN, MAX_MODULUS_LEN};

mod sieve;
mod witness;

/// The highest limbs of sqrt(2) * 2^(32 P - 1), rounded up: the product of two primes that are not below it
/// has 64 P bits (A.1.3 steps 4.4 and 5.5).
const LEAST: [Limb; 2] = [0xf9de_6485, 0xb504_f333];

/// Candidates that one step draws and sieves, at most. About one in 17 has no small factor.
const DRAWS: u32 = 32;

/// Stack of a step, in numbers as long as the modulus.
const BURNT: usize = 22;

/// What the pairwise test signs.
const TRIAL: [u8; DIGEST_LEN] = [0xa5; DIGEST_LEN];

/// How far a generation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Candidates are drawn and tested.
    Searching {
        /// For this prime; Q comes after P.
        prime: Prime,
        /// So many were drawn for it. One in `19 P` or so is a prime: 606, 909 or 1212.
        candidates: u32,
    },
    /// Both primes are found; the key is made and tested.
    Testing,
    /// The key is ready: [`Generator::key`].
    Done,
}

/// What the next step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Search(Prime),
    /// So many rounds of Miller and Rabin are left.
    Rounds(Prime, u32),
    Assemble,
    Blind,
    Sign,
    Done,
    Failed,
}

/// Generates one key with primes of `P` limbs and a modulus of `N = 2 P`. Wiped when dropped, at any stage.
///
/// It takes 2.2 KiB for RSA-2048 and 4.4 KiB for RSA-4096, and a step 5.7 KB and 11.3 KB of stack on a
/// Cortex-M. The random generator must have a security strength of 112 bits or more for RSA-2048, and of 128
/// bits or more for the others (A.1.3 step 3).
pub struct Generator<const P: usize, const N: usize> {
    p: [Limb; P],
    q: [Limb; P],
    stage: Stage,
    candidates: u32,
    engine: Engine<P, N>,
}

impl<const P: usize, const N: usize> Generator<P, N> {
    /// Rounds of Miller and Rabin, for an error of at most 2^-112, 2^-128 and 2^-144 (table B.1).
    const ROUNDS: u32 = if P == 32 { 5 } else { 4 };

    /// Has drawn nothing yet.
    pub const fn new() -> Self {
        Self {
            p: [0; P],
            q: [0; P],
            stage: Stage::Search(Prime::P),
            candidates: 0,
            engine: Engine::EMPTY,
        }
    }

    /// Does the next piece of the work. None takes longer than a signature: at most two powers modulo a prime,
    /// or the drawing of 32 candidates. After [`Progress::Done`] nothing more happens.
    ///
    /// # Errors
    /// [`GenerateError`]. After [`GenerateError::Random`] the next step goes on; after the others there is
    /// nothing left, and every step fails.
    pub fn step<R: TryCryptoRng>(
        &mut self,
        rng: &mut R,
    ) -> Result<Progress, GenerateError<R::Error>> {
        let next = self.next(rng);
        burn_stack::<N, BURNT>();
        match next {
            Ok(stage) => self.stage = stage,
            Err(GenerateError::Random(error)) => return Err(GenerateError::Random(error)),
            Err(error) => {
                self.zeroize();
                return Err(error);
            }
        }
        Ok(self.progress())
    }

    /// The key, once it is done. It has signed, and the signature was verified with the public exponent (the
    /// pairwise test of FIPS 140-3).
    pub fn key(&self) -> Option<&PrivateKey<P, N>> {
        (self.stage == Stage::Done).then(|| self.engine.key())
    }

    fn progress(&self) -> Progress {
        match self.stage {
            Stage::Search(prime) | Stage::Rounds(prime, _) => Progress::Searching {
                prime,
                candidates: self.candidates,
            },
            Stage::Done => Progress::Done,
            _ => Progress::Testing,
        }
    }

    #[inline(never)]
    fn next<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<Stage, GenerateError<R::Error>> {
        let fault = |error| match error {
            SignError::Random(error) => GenerateError::Random(error),
            _ => GenerateError::Fault,
        };
        match self.stage {
            Stage::Search(prime) => self.search(prime, rng),
            Stage::Rounds(prime, left) => self.round(prime, left, rng),
            Stage::Assemble => {
                let made = self.engine.assemble(&self.p, &self.q);
                self.p.zeroize();
                self.q.zeroize();
                made.map_err(|_| GenerateError::Fault)?;
                Ok(Stage::Blind)
            }
            Stage::Blind => {
                self.engine.reseed(rng).map_err(fault)?;
                Ok(Stage::Sign)
            }
            Stage::Sign => {
                let mut out = [0; MAX_MODULUS_LEN];
                self.engine.sign(&TRIAL, rng, &mut out).map_err(fault)?;
                Ok(Stage::Done)
            }
            Stage::Done => Ok(Stage::Done),
            Stage::Failed => Err(GenerateError::Fault),
        }
    }

    /// A.1.3 steps 4.2 to 4.5, or 5.2 to 5.6, until a candidate is left that has no small factor.
    fn search<R: TryCryptoRng>(
        &mut self,
        prime: Prime,
        rng: &mut R,
    ) -> Result<Stage, GenerateError<R::Error>> {
        // Steps 4.7 and 5.8: 5 nlen candidates for p, 10 nlen for q. There, those that are not drawn again count;
        // here all do, so that a generator that is stuck comes to an end too.
        let most = match prime {
            Prime::P => N.wrapping_mul(5 * 32),
            Prime::Q => N.wrapping_mul(10 * 32),
        };
        for _ in 0..DRAWS {
            let (candidate, other) = match prime {
                Prime::P => (&mut self.p, None),
                Prime::Q => (&mut self.q, Some(&self.p)),
            };
            if usize::try_from(self.candidates).is_ok_and(|candidates| candidates >= most) {
                return Err(GenerateError::Exhausted(self.candidates));
            }
            draw(rng, candidate).map_err(GenerateError::Random)?;
            self.candidates = self.candidates.saturating_add(1);
            // The greatest common divisor of a prime less one and e, a prime itself, is 1 or e.
            if is_sized(candidate)
                && other.is_none_or(|other| are_far_apart(candidate, other))
                && modulo_exponent(candidate) != 1
                && !sieve::has_small_factor(candidate)
            {
                return Ok(Stage::Rounds(prime, Self::ROUNDS));
            }
        }
        Ok(Stage::Search(prime))
    }

    /// One round of step 4.5.1 or 5.6.1.
    fn round<R: TryCryptoRng>(
        &mut self,
        prime: Prime,
        left: u32,
        rng: &mut R,
    ) -> Result<Stage, GenerateError<R::Error>> {
        let candidate = match prime {
            Prime::P => &self.p,
            Prime::Q => &self.q,
        };
        let passes = witness::passes(candidate, rng).map_err(GenerateError::Random)?;
        if !passes {
            return Ok(Stage::Search(prime));
        }
        if left > 1 {
            return Ok(Stage::Rounds(prime, left.wrapping_sub(1)));
        }
        self.candidates = 0;
        Ok(match prime {
            Prime::P => Stage::Search(Prime::Q),
            Prime::Q => Stage::Assemble,
        })
    }
}

/// Makes a candidate odd and sets its top bit; whether it is at least sqrt(2) * 2^(32 P - 1).
///
/// A candidate without the top bit would be below that and drawn again (A.1.3 step 4.4): this way half of them
/// need not be, and what is accepted is as likely as before.
fn is_sized<const P: usize>(candidate: &mut [Limb; P]) -> bool {
    if let Some(lowest) = candidate.first_mut() {
        *lowest |= 1;
    }
    if let Some(highest) = candidate.last_mut() {
        *highest |= 1 << 31;
    }
    candidate
        .last_chunk()
        .is_some_and(|highest: &[Limb; 2]| is_less(highest, &LEAST) == 0)
}

impl<const P: usize, const N: usize> Default for Generator<P, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const P: usize, const N: usize> Zeroize for Generator<P, N> {
    fn zeroize(&mut self) {
        self.p.zeroize();
        self.q.zeroize();
        self.stage = Stage::Failed;
        self.candidates = 0;
        self.engine.latch();
    }
}

impl<const P: usize, const N: usize> Drop for Generator<P, N> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<const P: usize, const N: usize> ZeroizeOnDrop for Generator<P, N> {}

impl<const P: usize, const N: usize> fmt::Debug for Generator<P, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
