//! The part's random number generator (RM0090 section 24), which QEMU does not have.
//!
//! It fails closed: no word in time, an error of its own, or the same word twice, and there is no
//! randomness. What the application then does without is its own seed, from provisioning. With the feature
//! `qemu` the board says that it has no generator.

use stm32f4::stm32f405::{RCC, RNG};

/// Reads of the status before a wait is given up; a word takes 40 cycles of 48 MHz.
const PATIENCE: u32 = 100_000;

/// The source.
#[derive(Debug)]
pub struct Source {
    rng: RNG,
    last: Option<u32>,
}

impl Source {
    /// Starts the generator.
    pub fn new(rcc: &RCC, rng: RNG) -> Self {
        rcc.ahb2enr().modify(|_, w| w.rngen().enabled());
        rng.cr().write(|w| w.rngen().enabled());
        Self { rng, last: None }
    }

    /// Fills it, or there is no randomness: not now, and the caller must not go on without. Raw words of the part's
    /// generator pass NIST's tests by ST's own account (AN4230); the application feeds them to its DRBG all the same.
    pub fn fill(&mut self, out: &mut [u8]) -> Option<()> {
        for chunk in out.chunks_mut(4) {
            let word = self.word()?.to_le_bytes();
            for (byte, value) in chunk.iter_mut().zip(word) {
                *byte = value;
            }
        }
        Some(())
    }

    /// One word that differs from the one before; the first only starts the comparison (RM0090 section
    /// 24.3.1, after FIPS 140-2).
    fn word(&mut self) -> Option<u32> {
        let last = match self.last {
            Some(last) => last,
            None => self.raw()?,
        };
        let word = self.raw()?;
        self.last = Some(word);
        (word != last).then_some(word)
    }

    fn raw(&mut self) -> Option<u32> {
        let ready = (0..PATIENCE).any(|_| self.rng.sr().read().drdy().bit_is_set());
        let status = self.rng.sr().read();
        let broken = status.secs().bit_is_set()
            || status.cecs().bit_is_set()
            || status.seis().bit_is_set()
            || status.ceis().bit_is_set();
        (ready && !broken).then(|| self.rng.dr().read().rndata().bits())
    }
}
