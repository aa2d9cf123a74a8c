//! The engine: signs digests or unwraps content keys with one key, checks each result before it leaves, latches on a
//! fault.

use core::fmt;

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::DIGEST_LEN;
use crate::blinding::{Blinding, Mismatch, public_power};
use crate::crt::{Exponents, private_power};
use crate::encoding::encode;
use crate::error::{KeyError, SignError};
use crate::kernel::Workspace;
use crate::key::PrivateKey;
use crate::limbs::{Limb, from_bytes, mask_if_equal, to_bytes};
use crate::modulus::Modulus;
use crate::oaep;
use crate::power::Scratch;

/// The engine signs. Far from any value that a flipped bit or erased memory would leave.
const READY: u32 = 0x96c3_5a3c;
/// The engine signs no more. Anything but [`READY`] means that; this is what is written.
const LATCHED: u32 = !READY;

/// Stack of a signature, or a new blinding, in numbers as long as the modulus, and more; the image for QEMU looks
/// at what is left.
const BURNT: usize = 15;

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

/// What the private operation is of.
#[derive(Clone, Copy)]
enum Input<'a> {
    /// The encoding of a digest.
    Digest(&'a [u8; DIGEST_LEN]),
    /// As many bytes as the modulus has, and a number below it.
    Ciphertext(&'a [u8]),
}

impl Input<'_> {
    #[inline(never)]
    fn write<const N: usize>(self, out: &mut [Limb; N]) {
        match self {
            Self::Digest(digest) => encode(digest, out),
            Self::Ciphertext(bytes) => from_bytes(bytes, out),
        }
    }
}

/// Works with one key. See the crate's documentation for what it promises.
///
/// It takes 1.9 KiB for RSA-2048 and 3.8 KiB for RSA-4096.
pub struct Engine<const P: usize, const N: usize> {
    key: PrivateKey<P, N>,
    blinding: Blinding<N>,
    state: u32,
}

impl<const P: usize, const N: usize> Engine<P, N> {
    /// Takes the key and draws the first blinding.
    ///
    /// # Errors
    /// [`SignError::Random`] and [`SignError::Fault`], as for [`Engine::sign`]; the key is wiped with both.
    pub fn new<R: TryCryptoRng>(
        key: PrivateKey<P, N>,
        rng: &mut R,
    ) -> Result<Self, SignError<R::Error>> {
        let mut engine = Self::unblinded(key);
        engine.reseed(rng)?;
        Ok(engine)
    }

    /// Signs nothing without a key. All of it is zero, so that the flash has no copy of it.
    pub(crate) const EMPTY: Self = Self {
        key: PrivateKey::EMPTY,
        blinding: Blinding::EMPTY,
        state: 0,
    };

    /// Without a blinding: the first signature draws it.
    pub(crate) const fn unblinded(key: PrivateKey<P, N>) -> Self {
        Self {
            key,
            blinding: Blinding::EMPTY,
            state: READY,
        }
    }

    /// Takes the key of two primes, into its place.
    #[inline(never)]
    pub(crate) fn assemble(&mut self, p: &[Limb; P], q: &[Limb; P]) -> Result<(), KeyError> {
        self.key.set(p, q, None).map(|()| self.state = READY)
    }

    /// Takes a key into its place, as [`PrivateKey::from_primes`].
    pub(crate) fn import(&mut self, p: &[u8], q: &[u8], modulus: &[u8]) -> Result<(), KeyError> {
        let imported = self.key.import(p, q, modulus);
        imported.map(|()| self.state = READY)
    }

    /// The key. Once the engine is latched there is nothing in it.
    pub const fn key(&self) -> &PrivateKey<P, N> {
        &self.key
    }

    /// Signs a SHA-256 digest: RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.1). The signature has `4 N` bytes.
    ///
    /// The generator is asked only when the blinding is worn, once in 64 signatures; that signature
    /// takes twice the time. A device that wants to choose the moment calls [`Engine::reseed`].
    /// `out` has room for the modulus, or the engine does not sign.
    ///
    /// # Errors
    /// [`SignError`]; `out` is zero with each, [`SignError::Fault`] for an `out` that is too short.
    pub fn sign<'a, R: TryCryptoRng>(
        &mut self,
        digest: &[u8; DIGEST_LEN],
        rng: &mut R,
        out: &'a mut [u8],
    ) -> Result<&'a [u8], SignError<R::Error>> {
        self.operate(Input::Digest(digest), rng, out)
    }

    /// Unwraps a content key: RSAES-OAEP with SHA-256 (RFC 8017 section 7.1.2), of one of the lengths that content keys of
    /// JWEs have. `None` for everything else, whatever is wrong with it; what takes time tells of that no more. As for
    /// [`Engine::sign`] else: the result is checked with the public exponent before it is looked at. The key is at the end
    /// of where the modulus has room in `out`, and nothing else is left there.
    ///
    /// # Errors
    /// As for [`Engine::sign`].
    pub fn unwrap_key<'a, R: TryCryptoRng>(
        &mut self,
        ciphertext: &[u8],
        rng: &mut R,
        out: &'a mut [u8],
    ) -> Result<Option<&'a [u8]>, SignError<R::Error>> {
        out.fill(0);
        // Both are public.
        if !self.is_latched() && !self.key.n.is_above(ciphertext) {
            return Ok(None);
        }
        let len = self.operate(Input::Ciphertext(ciphertext), rng, out)?.len();
        let key = out.get_mut(..len).and_then(oaep::decode);
        burn_stack::<N, BURNT>();
        Ok(key)
    }

    fn operate<'a, R: TryCryptoRng>(
        &mut self,
        input: Input<'_>,
        rng: &mut R,
        out: &'a mut [u8],
    ) -> Result<&'a [u8], SignError<R::Error>> {
        out.fill(0);
        if out.len() < size_of::<[Limb; N]>() {
            return Err(SignError::Fault);
        }
        if self.is_latched() {
            return Err(SignError::Latched);
        }
        if self.blinding.is_worn() {
            self.reseed(rng)?;
        }
        let outcome = self.operate_blinded(input, out, &mut |_| {});
        burn_stack::<N, BURNT>();
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
        burn_stack::<N, BURNT>();
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

    /// Wipes the key, and signs no more.
    pub(crate) fn latch(&mut self) {
        self.state = LATCHED;
        self.key.zeroize();
        self.blinding.zeroize();
    }

    /// A signature that reports the end of each of its parts, for measurements.
    ///
    /// # Errors
    /// As for [`Engine::sign`], without a generator to ask.
    #[cfg(feature = "measure")]
    pub fn sign_in_phases<'a>(
        &mut self,
        digest: &[u8; DIGEST_LEN],
        out: &'a mut [u8],
        ended: &mut impl FnMut(Phase),
    ) -> Result<&'a [u8], SignError<core::convert::Infallible>> {
        out.fill(0);
        if self.is_latched() || self.blinding.is_worn() {
            return Err(SignError::Latched);
        }
        let outcome = self.operate_blinded(Input::Digest(digest), out, ended);
        outcome.map_err(|Mismatch| {
            self.latch();
            SignError::Fault
        })
    }

    /// Blinds, raises to the private exponent, unblinds, and releases the result if it is one.
    #[inline(never)]
    fn operate_blinded<'a>(
        &mut self,
        input: Input<'_>,
        out: &'a mut [u8],
        ended: &mut impl FnMut(Phase),
    ) -> Result<&'a [u8], Mismatch> {
        let mut number = [0; N];
        self.blind(input, &mut number);
        ended(Phase::Blinding);
        self.raise(&mut number);
        ended(Phase::PrivateOperation);
        self.unblind(&mut number);
        ended(Phase::Unblinding);
        let genuine = is_result(&self.key.n, &number, input);
        ended(Phase::Check);
        // Masked as well as branched on: skipping the branch releases zeros.
        for limb in &mut number {
            *limb &= genuine;
        }
        if genuine != Limb::MAX {
            number.zeroize();
            return Err(Mismatch);
        }
        let (result, _) = to_bytes(&number, out);
        number.zeroize();
        Ok(result)
    }

    /// `out` = the input times A, with the next A.
    #[inline(never)]
    fn blind(&mut self, input: Input<'_>, out: &mut [Limb; N]) {
        let mut encoded = [0; N];
        input.write(&mut encoded);
        let mut workspace = Workspace::new();
        self.blinding.step(&self.key.n, &mut workspace);
        let factor = &self.blinding.factor;
        self.key.n.multiply(out, &encoded, factor, &mut workspace);
        workspace.zeroize();
    }

    /// The private operation.
    #[inline(never)]
    fn raise(&self, number: &mut [Limb; N]) {
        let exponents = Exponents {
            p: &self.key.p.exponent,
            q: &self.key.q.exponent,
        };
        private_power(&self.key, &exponents, number, &mut Scratch::new());
    }

    /// `number = number * A^-d`, reduced.
    #[inline(never)]
    fn unblind(&self, number: &mut [Limb; N]) {
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

#[cfg(test)]
impl<const P: usize, const N: usize> Engine<P, N> {
    /// Puts a fault into the key.
    pub(crate) fn spoil(&mut self) {
        for limb in &mut self.key.q_inverse {
            *limb ^= 1;
        }
    }
}

impl<const P: usize, const N: usize> fmt::Debug for Engine<P, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("key", &self.key)
            .field("latched", &self.is_latched())
            .finish_non_exhaustive()
    }
}

impl<const P: usize, const N: usize> Drop for Engine<P, N> {
    fn drop(&mut self) {
        self.blinding.zeroize();
    }
}

/// All ones if `number ^ e mod n` is the input, else zero.
#[inline(never)]
fn is_result<const N: usize>(n: &Modulus<N>, number: &[Limb; N], input: Input<'_>) -> Limb {
    let mut workspace = Workspace::new();
    let (mut base, mut power) = ([0; N], [0; N]);
    n.enter(&mut base, number, &mut workspace);
    public_power(n, &base, &mut power, &mut workspace);
    n.leave(&mut base, &power, &mut workspace);
    // Before the check nobody knows that the result is one: it is as secret as what a fault tells.
    power.zeroize();
    workspace.zeroize();
    // Written again: what was raised may have had a fault too.
    input.write(&mut power);
    mask_if_equal(&base, &power)
}

/// Overwrites the stack that a computation has used, `NUMBERS` of `N` limbs of it. Each function wipes its own
/// numbers; this is for the single limbs that the compiler has put aside.
#[inline(never)]
pub(crate) fn burn_stack<const N: usize, const NUMBERS: usize>() {
    let mut stack: [[Limb; N]; NUMBERS] = [[0; N]; NUMBERS];
    stack.zeroize();
    core::hint::black_box(&stack);
}

#[cfg(test)]
mod tests;
