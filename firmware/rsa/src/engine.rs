//! The engine: signs digests with one key, checks each signature before it leaves, latches on a fault.

use core::fmt;

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::blinding::{Blinding, Mismatch, public_power};
use crate::crt::{Exponents, private_power};
use crate::encoding::encode;
use crate::error::SignError;
use crate::kernel::Workspace;
use crate::key::PrivateKey;
use crate::limbs::{FULL, Limb, mask_if_equal, to_bytes};
use crate::modulus::Modulus;
use crate::power::Scratch;
use crate::{DIGEST_LEN, MODULUS_LEN};

/// The engine signs. Far from any value that a flipped bit or erased memory would leave.
const READY: u32 = 0x96c3_5a3c;
/// The engine signs no more. Anything but [`READY`] means that; this is what is written.
const LATCHED: u32 = !READY;

/// More than a signature needs, or a new blinding; the image for QEMU looks at what is left on the stack.
const BURNT_LIMBS: usize = 944;

/// The parts of a signature, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "measure"),
    expect(unreachable_pub, reason = "only measurements are told of phases")
)]
pub enum Phase {
    /// Encoding, the next blinding, and the product with it.
    Blinding,
    /// The power with the private exponent.
    PrivateOperation,
    /// The product that takes the blinding away.
    Unblinding,
    /// The power with the public exponent, and the comparison.
    Check,
}

/// Signs with one key. See the crate's documentation for what it promises.
///
/// It takes 1.9 KiB, and a signature 3.8 KB of stack on a Cortex-M.
pub struct Engine {
    key: PrivateKey,
    blinding: Blinding,
    state: u32,
}

impl Engine {
    /// Takes the key and draws the first blinding.
    ///
    /// # Errors
    /// [`SignError::Random`] and [`SignError::Fault`], as for [`Engine::sign`]; the key is wiped with both.
    pub fn new<R: TryCryptoRng>(key: PrivateKey, rng: &mut R) -> Result<Self, SignError<R::Error>> {
        let mut engine = Self {
            key,
            blinding: Blinding::EMPTY,
            state: READY,
        };
        engine.reseed(rng)?;
        Ok(engine)
    }

    /// Signs a SHA-256 digest: RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.1).
    ///
    /// The generator is asked only when the blinding is worn, once in 64 signatures; that signature
    /// takes twice the time. A device that wants to choose the moment calls [`Engine::reseed`].
    ///
    /// # Errors
    /// [`SignError`]; `out` is zero with each.
    pub fn sign<R: TryCryptoRng>(
        &mut self,
        digest: &[u8; DIGEST_LEN],
        rng: &mut R,
        out: &mut [u8; MODULUS_LEN],
    ) -> Result<(), SignError<R::Error>> {
        out.fill(0);
        if self.is_latched() {
            return Err(SignError::Latched);
        }
        if self.blinding.is_worn() {
            self.reseed(rng)?;
        }
        let outcome = self.sign_blinded(digest, out, &mut |_| {});
        burn_stack();
        outcome.map_err(|Mismatch| {
            self.latch();
            SignError::Fault
        })
    }

    /// Draws a new blinding now.
    ///
    /// # Errors
    /// [`SignError::Random`]: the old blinding stays and serves on, unless it is worn.
    pub fn reseed<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<(), SignError<R::Error>> {
        if self.is_latched() {
            return Err(SignError::Latched);
        }
        let outcome = self.blinding.draw(&self.key, rng);
        burn_stack();
        match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Mismatch)) => {
                self.latch();
                Err(SignError::Fault)
            }
            Err(error) => Err(SignError::Random(error)),
        }
    }

    /// Whether a result has failed its check: this engine signs no more, its key is gone.
    pub fn is_latched(&self) -> bool {
        self.state != READY
    }

    fn latch(&mut self) {
        self.state = LATCHED;
        self.key.zeroize();
        self.blinding.zeroize();
    }

    /// A signature that reports the end of each of its parts, for measurements.
    ///
    /// # Errors
    /// As for [`Engine::sign`], without a generator to ask.
    #[cfg(feature = "measure")]
    pub fn sign_in_phases(
        &mut self,
        digest: &[u8; DIGEST_LEN],
        out: &mut [u8; MODULUS_LEN],
        ended: &mut impl FnMut(Phase),
    ) -> Result<(), SignError<core::convert::Infallible>> {
        out.fill(0);
        if self.is_latched() || self.blinding.is_worn() {
            return Err(SignError::Latched);
        }
        self.sign_blinded(digest, out, ended).map_err(|Mismatch| {
            self.latch();
            SignError::Fault
        })
    }

    /// Blinds, signs, unblinds, and releases the signature if it is one.
    #[inline(never)]
    fn sign_blinded(
        &mut self,
        digest: &[u8; DIGEST_LEN],
        out: &mut [u8; MODULUS_LEN],
        ended: &mut impl FnMut(Phase),
    ) -> Result<(), Mismatch> {
        let mut number = [0; FULL];
        self.blind(digest, &mut number);
        ended(Phase::Blinding);
        self.raise(&mut number);
        ended(Phase::PrivateOperation);
        self.unblind(&mut number);
        ended(Phase::Unblinding);
        let genuine = is_signature(&self.key.n, &number, digest);
        ended(Phase::Check);
        // Masked as well as branched on: skipping the branch releases zeros.
        for limb in &mut number {
            *limb &= genuine;
        }
        to_bytes(&number, out);
        number.zeroize();
        if genuine == Limb::MAX {
            Ok(())
        } else {
            out.fill(0);
            Err(Mismatch)
        }
    }

    /// `out` = the encoded digest times A, with the next A.
    #[inline(never)]
    fn blind(&mut self, digest: &[u8; DIGEST_LEN], out: &mut [Limb; FULL]) {
        let mut encoded = [0; FULL];
        encode(digest, &mut encoded);
        let mut workspace = Workspace::new();
        self.blinding.step(&self.key.n, &mut workspace);
        let factor = &self.blinding.factor;
        self.key.n.multiply(out, &encoded, factor, &mut workspace);
        workspace.zeroize();
    }

    /// The private operation.
    #[inline(never)]
    fn raise(&self, number: &mut [Limb; FULL]) {
        let exponents = Exponents {
            p: &self.key.p.exponent,
            q: &self.key.q.exponent,
        };
        private_power(&self.key, &exponents, number, &mut Scratch::new());
    }

    /// `number = number * A^-d`, reduced.
    #[inline(never)]
    fn unblind(&self, number: &mut [Limb; FULL]) {
        let mut workspace = Workspace::new();
        let (mut blinded, remover) = (*number, &self.blinding.remover);
        self.key
            .n
            .multiply(number, &blinded, remover, &mut workspace);
        self.key.n.reduce(number);
        blinded.zeroize();
        workspace.zeroize();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("key", &self.key)
            .field("latched", &self.is_latched())
            .finish_non_exhaustive()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.blinding.zeroize();
    }
}

/// All ones if `number ^ e mod n` is the encoded digest, else zero.
#[inline(never)]
fn is_signature(n: &Modulus<FULL>, number: &[Limb; FULL], digest: &[u8; DIGEST_LEN]) -> Limb {
    let mut workspace = Workspace::new();
    let (mut base, mut power) = ([0; FULL], [0; FULL]);
    n.enter(&mut base, number, &mut workspace);
    public_power(n, &base, &mut power, &mut workspace);
    n.leave(&mut base, &power, &mut workspace);
    // Before the check nobody knows that the signature is one: it is as secret as what a fault tells.
    power.zeroize();
    workspace.zeroize();
    // Encoded anew: what was signed may have had a fault too.
    encode(digest, &mut power);
    mask_if_equal(&base, &power)
}

/// Overwrites the stack that the functions above have used. Each wipes its own numbers; this is for the
/// single limbs that the compiler has put aside.
#[inline(never)]
fn burn_stack() {
    let mut stack = [0_u32; BURNT_LIMBS];
    stack.zeroize();
    core::hint::black_box(&stack);
}

#[cfg(test)]
mod tests;
