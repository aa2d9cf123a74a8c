//! A generator of fixed output: the emulator has no noise, and a count must be the same every time.

use core::convert::Infallible;
use core::hint::black_box;

use rand_core::utils::fill_bytes_via_next_word;
use rand_core::{TryCryptoRng, TryRng};

/// SplitMix64; not for anything but counting.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(key: usize) -> Self {
        Self(u64::try_from(key).unwrap_or(0))
    }
}

impl TryRng for Noise {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64()
            .map(|word| u32::try_from(word >> 32).unwrap_or(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(word ^ (word >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

impl TryCryptoRng for Noise {}

/// The same, but for a number that it gives first where one of that length is asked for.
pub(crate) struct Planted {
    noise: Noise,
    pub(crate) planted: Option<&'static [u8]>,
}

impl Planted {
    pub(crate) fn new(key: usize) -> Self {
        let (noise, planted) = (Noise::new(key), None);
        Self { noise, planted }
    }
}

impl TryRng for Planted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.noise.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.noise.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        match self.planted.take() {
            Some(planted) if planted.len() == bytes.len() => {
                // One by one: a copy takes longer where one of them is not aligned.
                for (byte, value) in bytes.iter_mut().zip(planted) {
                    *byte = black_box(*value);
                }
                Ok(())
            }
            _ => self.noise.try_fill_bytes(bytes),
        }
    }
}

impl TryCryptoRng for Planted {}
