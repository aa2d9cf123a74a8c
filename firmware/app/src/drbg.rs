//! The random generator: HMAC_DRBG with SHA-256 (NIST SP 800-90A section 10.1.2).
//!
//! Without a seed there is none of it, and so nothing random: the device refuses. What makes each start
//! different is in the nonce: numbers of the journal that are written before the first byte is drawn and
//! never come again, so a start never repeats what an earlier one gave, even on a board without a random
//! generator of its own.

use hmac::{Hmac, KeyInit, Mac};
use rand_core::utils::next_word_via_fill;
use rand_core::{TryCryptoRng, TryRng};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroize;

/// Bytes of SHA-256, and so of both halves of the state.
const LEN: usize = 32;
/// Bytes of SHA-256's block: the length of an HMAC key that needs no hashing.
const BLOCK: usize = 64;

/// Requests before new entropy is needed (SP 800-90A table 2): at one per second, nine million years.
const RESEED_INTERVAL: u64 = 1 << 48;

/// The generator. Wiped when dropped.
pub(crate) struct Drbg {
    /// Hashed once for all messages under it.
    key: Hmac<Sha256>,
    value: [u8; LEN],
    requests: u64,
}

/// The generator has served [`RESEED_INTERVAL`] requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the random generator needs new entropy")]
pub(crate) struct Exhausted;

impl Drbg {
    /// From entropy, a nonce and a personalization, each in pieces (section 10.1.2.3); the caller sees to
    /// it that there is enough of it.
    pub(crate) fn new(seed: &[&[u8]]) -> Self {
        let mut drbg = Self {
            key: keyed(&[0; LEN]),
            value: [1; LEN],
            requests: 1,
        };
        drbg.update(seed);
        drbg
    }

    /// Takes new entropy (section 10.1.2.4).
    #[cfg(test)]
    fn reseed(&mut self, entropy: &[u8]) {
        self.update(&[entropy]);
        self.requests = 1;
    }

    /// HMAC_DRBG_Update (section 10.1.2.2).
    fn update(&mut self, data: &[&[u8]]) {
        self.step(0, data);
        if data.iter().any(|piece| !piece.is_empty()) {
            self.step(1, data);
        }
    }

    fn step(&mut self, separator: u8, data: &[&[u8]]) {
        let mut mac = self.key.clone();
        mac.update(&self.value);
        mac.update(&[separator]);
        for piece in data {
            mac.update(piece);
        }
        let mut key: [u8; LEN] = mac.finalize().into_bytes().into();
        self.key = keyed(&key);
        key.zeroize();
        self.next_value();
    }

    fn next_value(&mut self) {
        let mut mac = self.key.clone();
        mac.update(&self.value);
        self.value = mac.finalize().into_bytes().into();
    }
}

/// A key shorter than a block is filled up with zeros (RFC 2104 section 2).
pub(crate) fn keyed(key: &[u8; LEN]) -> Hmac<Sha256> {
    let mut block = [0; BLOCK];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mac = Hmac::new(&block.into());
    block.zeroize();
    mac
}

impl TryRng for Drbg {
    type Error = Exhausted;

    fn try_next_u32(&mut self) -> Result<u32, Exhausted> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Exhausted> {
        next_word_via_fill(self)
    }

    /// One request (section 10.1.2.5), of far less than 2^16 bytes.
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Exhausted> {
        if self.requests > RESEED_INTERVAL {
            return Err(Exhausted);
        }
        for piece in out.chunks_mut(LEN) {
            self.next_value();
            for (to, from) in piece.iter_mut().zip(&self.value) {
                *to = *from;
            }
        }
        self.update(&[]);
        self.requests = self.requests.saturating_add(1);
        Ok(())
    }
}

impl TryCryptoRng for Drbg {}

impl Drop for Drbg {
    fn drop(&mut self) {
        self.value.zeroize();
        // It has no way to be wiped, so a key that is none is put in its place, and must not be optimised away.
        self.key = keyed(&[0; LEN]);
        core::hint::black_box(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn unhex(text: &str) -> Vec<u8> {
        let digit = |digit: &u8| char::from(*digit).to_digit(16).expect("hexadecimal");
        text.as_bytes()
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, next| (byte << 4) | digit(next)))
            .map(|byte| u8::try_from(byte).expect("two digits"))
            .collect()
    }

    /// NIST CAVP, drbgvectors_no_reseed, HMAC_DRBG.rsp, SHA-256, no personalization, no additional input,
    /// count 0: the second of two requests.
    #[test]
    fn cavp_without_reseed() {
        let mut drbg = Drbg::new(&[
            &unhex("ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488"),
            &unhex("659ba96c601dc69fc902940805ec0ca8"),
        ]);
        let mut out = [0; 128];
        for _ in 0..2 {
            drbg.try_fill_bytes(&mut out).expect("bytes");
        }
        assert_eq!(
            out[..],
            unhex(
                "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89d54fbb978a15b5c443c9ec21036d2460\
                 b6f73ebad0dc2aba6e624abf07745bc107694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668\
                 961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8"
            )
        );
    }

    /// NIST CAVP, drbgvectors_pr_false, HMAC_DRBG.rsp, SHA-256, count 0: new entropy, then two requests.
    #[test]
    fn cavp_with_reseed() {
        let mut drbg = Drbg::new(&[
            &unhex("06032cd5eed33f39265f49ecb142c511da9aff2af71203bffaf34a9ca5bd9c0d"),
            &unhex("0e66f71edc43e42a45ad3c6fc6cdc4df"),
        ]);
        drbg.reseed(&unhex(
            "01920a4e669ed3a85ae8a33b35a74ad7fb2a6bb4cf395ce00334a9c9a5a5d552",
        ));
        let mut out = [0; 128];
        for _ in 0..2 {
            drbg.try_fill_bytes(&mut out).expect("bytes");
        }
        assert_eq!(
            out[..],
            unhex(
                "76fc79fe9b50beccc991a11b5635783a83536add03c157fb30645e611c2898bb2b1bc215000209208cd506cb28da2a51\
                 bdb03826aaf2bd2335d576d519160842e7158ad0949d1a9ec3e66ea1b1a064b005de914eac2e9d4f2d72a8616a802254\
                 22918250ff66a41bd2f864a6a38cc5b6499dc43f7f2bd09e1e0f8f5885935124"
            )
        );
    }

    #[test]
    fn any_piece_makes_another_stream() {
        let first = |seed: &[&[u8]]| {
            let mut out = [0; 32];
            Drbg::new(seed).try_fill_bytes(&mut out).expect("bytes");
            out
        };
        let same = first(&[b"entropy", b"nonce 1"]);
        assert_eq!(first(&[b"entropy", b"nonce 1"]), same);
        assert_ne!(first(&[b"entropy", b"nonce 2"]), same);
        assert_ne!(first(&[b"Entropy", b"nonce 1"]), same);
    }

    #[test]
    fn it_ends_before_it_wears_out() {
        let mut drbg = Drbg::new(&[b"entropy"]);
        drbg.requests = RESEED_INTERVAL;
        assert!(drbg.try_next_u64().is_ok());
        assert_eq!(drbg.try_next_u64(), Err(Exhausted));
        drbg.reseed(b"more");
        assert!(drbg.try_next_u32().is_ok());
    }
}
