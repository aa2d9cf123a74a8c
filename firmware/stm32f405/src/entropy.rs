//! The part's random number generator (RM0090 section 24), which QEMU does not have.
//!
//! It fails closed: no word in time, an error of its own, or the same word twice, and there is no
//! randomness. What the application then does without is its own seed, from provisioning. With the feature
//! `qemu` the board says that it has no generator.

use core::fmt;

use rand_core::{TryCryptoRng, TryRng};
use stm32f4::stm32f405::{RCC, RNG};

/// Reads of the status before a wait is given up; a word takes 40 cycles of 48 MHz.
const PATIENCE: u32 = 100_000;

/// The source.
#[derive(Debug)]
pub struct Source {
    rng: RNG,
    last: Option<u32>,
}

/// No randomness: not now, and the caller must not go on without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

impl Source {
    /// Starts the generator.
    pub fn new(rcc: &RCC, rng: RNG) -> Self {
        rcc.ahb2enr().modify(|_, w| w.rngen().enabled());
        rng.cr().write(|w| w.rngen().enabled());
        Self { rng, last: None }
    }

    /// One word that differs from the one before; the first only starts the comparison (RM0090 section
    /// 24.3.1, after FIPS 140-2).
    fn word(&mut self) -> Result<u32, NoEntropy> {
        let last = match self.last {
            Some(last) => last,
            None => self.raw()?,
        };
        let word = self.raw()?;
        self.last = Some(word);
        if word == last {
            return Err(NoEntropy);
        }
        Ok(word)
    }

    fn raw(&mut self) -> Result<u32, NoEntropy> {
        let ready = (0..PATIENCE).any(|_| self.rng.sr().read().drdy().bit_is_set());
        let status = self.rng.sr().read();
        let broken = status.secs().bit_is_set()
            || status.cecs().bit_is_set()
            || status.seis().bit_is_set()
            || status.ceis().bit_is_set();
        if ready && !broken {
            Ok(self.rng.dr().read().rndata().bits())
        } else {
            Err(NoEntropy)
        }
    }
}

impl TryRng for Source {
    type Error = NoEntropy;

    fn try_next_u32(&mut self) -> Result<u32, NoEntropy> {
        self.word()
    }

    fn try_next_u64(&mut self) -> Result<u64, NoEntropy> {
        Ok(u64::from(self.word()?) << 32 | u64::from(self.word()?))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.word()?.to_le_bytes();
            for (byte, value) in chunk.iter_mut().zip(word) {
                *byte = value;
            }
        }
        Ok(())
    }
}

/// Raw words of the part's generator pass NIST's tests by ST's own account (AN4230); the application feeds
/// them to its DRBG all the same.
impl TryCryptoRng for Source {}

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the random number generator gives no random numbers")
    }
}

impl core::error::Error for NoEntropy {}
