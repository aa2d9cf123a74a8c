//! Fixed keys and a fixed generator for tests: nothing here is random, and nothing here is secret.

use core::convert::Infallible;
use std::vec::Vec;

use rand_core::{TryCryptoRng, TryRng};
use rsa::RsaPrivateKey;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};

/// SplitMix64. It only claims to be fit for cryptography.
pub(crate) struct Generator(pub(crate) u64);

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let word = self.try_next_u64()?;
        Ok(u32::try_from(word >> 32).expect("32 bits"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(word ^ (word >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Generator {}

/// A key, and the same key in the hands of the judge.
pub(crate) struct TestKey {
    pub(crate) p: Vec<u8>,
    pub(crate) q: Vec<u8>,
    pub(crate) modulus: Vec<u8>,
    pub(crate) judge: RsaPrivateKey,
}

impl TestKey {
    /// The RSA-2048 key of a seed, always the same.
    pub(crate) fn new(seed: u64) -> Self {
        Self::sized(seed, 2048)
    }

    /// The key of a seed and a size, always the same.
    pub(crate) fn sized(seed: u64, bits: usize) -> Self {
        Self::of(RsaPrivateKey::new(&mut Generator(seed), bits).expect("a key"))
    }

    /// The judge's key.
    pub(crate) fn of(judge: RsaPrivateKey) -> Self {
        let prime = |index: usize| judge.primes()[index].to_be_bytes().to_vec();
        Self {
            p: prime(0),
            q: prime(1),
            modulus: judge.n_bytes().to_vec(),
            judge,
        }
    }

    /// What the judge signs.
    pub(crate) fn judged(&self, digest: &[u8; 32]) -> Vec<u8> {
        judged(&self.judge, digest)
    }
}

/// What the judge signs with this key: RSASSA-PKCS1-v1_5 with SHA-256.
pub(crate) fn judged(judge: &RsaPrivateKey, digest: &[u8; 32]) -> Vec<u8> {
    let scheme = rsa::Pkcs1v15Sign::new::<sha2::Sha256>();
    judge.sign(scheme, digest).expect("a signature")
}

/// Digests that differ in every byte; the first ones are the extremes.
pub(crate) fn digest(number: u64) -> [u8; 32] {
    let mut digest = [0; 32];
    match number {
        0 => {}
        1 => digest.fill(0xff),
        _ => {
            let Ok(()) = Generator(number).try_fill_bytes(&mut digest);
        }
    }
    digest
}
