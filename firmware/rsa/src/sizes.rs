//! The sizes in one type each, for a device that learns the size of its key when it runs.
//!
//! All of them are made of the same source; each has arrays and kernels of its own lengths, so that a small
//! key takes the stack and the time of a small key.

use rand_core::TryCryptoRng;

use crate::engine::Engine;
use crate::error::{GenerateError, KeyError, SignError};
use crate::generate::{Generator, Progress};
use crate::{DIGEST_LEN, MAX_MODULUS_LEN};

/// An [`Engine`] of any size.
#[derive(Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "there is no heap to box the large ones in"
)]
pub enum AnyEngine {
    /// RSA-2048.
    Rsa2048(Engine<32, 64>),
    /// RSA-3072.
    Rsa3072(Engine<48, 96>),
    /// RSA-4096.
    Rsa4096(Engine<64, 128>),
}

/// A [`Generator`] of any size.
#[derive(Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "there is no heap to box the large ones in"
)]
pub enum AnyGenerator {
    /// RSA-2048.
    Rsa2048(Generator<32, 64>),
    /// RSA-3072.
    Rsa3072(Generator<48, 96>),
    /// RSA-4096.
    Rsa4096(Generator<64, 128>),
}

/// The same for the value in any of them.
macro_rules! each {
    ($any:expr, $value:ident => $result:expr) => {
        match $any {
            Self::Rsa2048($value) => $result,
            Self::Rsa3072($value) => $result,
            Self::Rsa4096($value) => $result,
        }
    };
}

impl AnyEngine {
    /// Takes a key, as [`crate::PrivateKey::from_primes`], of the size that the modulus has. The first blinding is drawn
    /// by [`AnyEngine::reseed`], or else by the first signature.
    ///
    /// # Errors
    /// As for [`crate::PrivateKey::from_primes`].
    pub fn from_primes(p: &[u8], q: &[u8], modulus: &[u8]) -> Result<Self, KeyError> {
        let mut engine = Self::empty(modulus.len()).ok_or(KeyError::ModulusSize)?;
        engine.import(p, q, modulus).map(|()| engine)
    }

    /// Of no use before [`AnyEngine::import`], and for a modulus of so many bytes.
    pub const fn empty(modulus_len: usize) -> Option<Self> {
        Some(match modulus_len {
            256 => Self::Rsa2048(Engine::EMPTY),
            384 => Self::Rsa3072(Engine::EMPTY),
            512 => Self::Rsa4096(Engine::EMPTY),
            _ => return None,
        })
    }

    /// As [`AnyEngine::from_primes`], into an engine that is where it stays: nothing of the key is copied.
    ///
    /// # Errors
    /// As for [`crate::PrivateKey::from_primes`]; the engine is of no use then.
    pub fn import(&mut self, p: &[u8], q: &[u8], modulus: &[u8]) -> Result<(), KeyError> {
        each!(self, engine => engine.import(p, q, modulus))
    }

    /// As [`Engine::sign`].
    ///
    /// # Errors
    /// As for [`Engine::sign`].
    pub fn sign<'a, R: TryCryptoRng>(
        &mut self,
        digest: &[u8; DIGEST_LEN],
        rng: &mut R,
        out: &'a mut [u8],
    ) -> Result<&'a [u8], SignError<R::Error>> {
        each!(self, engine => engine.sign(digest, rng, out))
    }

    /// As [`Engine::unwrap_key`].
    ///
    /// # Errors
    /// As for [`Engine::sign`].
    pub fn unwrap_key<'a, R: TryCryptoRng>(
        &mut self,
        ciphertext: &[u8],
        rng: &mut R,
        out: &'a mut [u8],
    ) -> Result<Option<&'a [u8]>, SignError<R::Error>> {
        each!(self, engine => engine.unwrap_key(ciphertext, rng, out))
    }

    /// As [`Engine::reseed`].
    ///
    /// # Errors
    /// As for [`Engine::reseed`].
    pub fn reseed<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<(), SignError<R::Error>> {
        each!(self, engine => engine.reseed(rng))
    }

    /// As [`Engine::is_latched`].
    pub fn is_latched(&self) -> bool {
        each!(self, engine => engine.is_latched())
    }

    /// As [`crate::PrivateKey::modulus`].
    pub fn modulus<'a>(&self, out: &'a mut [u8; MAX_MODULUS_LEN]) -> &'a [u8] {
        each!(self, engine => engine.key().modulus(out))
    }
}

impl AnyGenerator {
    /// Has drawn nothing yet, and is for a modulus of so many bits: 2048, 3072 or 4096.
    pub const fn new(bits: usize) -> Option<Self> {
        match bits {
            2048 => Some(Self::Rsa2048(Generator::new())),
            3072 => Some(Self::Rsa3072(Generator::new())),
            4096 => Some(Self::Rsa4096(Generator::new())),
            _ => None,
        }
    }

    /// As [`Generator::step`].
    ///
    /// # Errors
    /// As for [`Generator::step`].
    pub fn step<R: TryCryptoRng>(
        &mut self,
        rng: &mut R,
    ) -> Result<Progress, GenerateError<R::Error>> {
        each!(self, generator => generator.step(rng))
    }

    /// The modulus, once the key is done; as [`crate::PrivateKey::modulus`].
    pub fn modulus<'a>(&self, out: &'a mut [u8; MAX_MODULUS_LEN]) -> Option<&'a [u8]> {
        each!(self, generator => generator.key().map(|key| key.modulus(out)))
    }

    /// The primes, once the key is done; as [`crate::PrivateKey::primes`].
    pub fn primes<'a>(&self, out: &'a mut [u8; MAX_MODULUS_LEN]) -> Option<(&'a [u8], &'a [u8])> {
        each!(self, generator => generator.key().map(|key| key.primes(out)))
    }
}
