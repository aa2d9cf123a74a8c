//! The key as it lies in the flash: encrypted and authenticated (ChaCha20-Poly1305, RFC 8439), under a key that is
//! made of what a dump of the flash does not have.
//!
//! That is the part's secret ([`Board::device_secret`]), where it has one, and the unlock secret, which the host gives
//! at each start. Both go through HMAC-SHA256 with a salt that is drawn for each key, so that nothing is ever
//! encrypted twice under one key, and a nonce is needed for nothing. What anybody may read (modulus, policy, chain,
//! headers) is not encrypted; it is authenticated, under the same secrets.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce, Tag};
use hmac::Mac as _;
use privyseal_protocol::{AtRest, MAX_KEY, MAX_SEED, UnlockSecret};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::board::Board;
use crate::drbg::keyed;

/// Bytes of the salt.
pub(crate) const SALT_LEN: usize = 32;
/// Bytes of a proof that a manifest is the device's own.
pub(crate) const PROOF_LEN: usize = 32;
/// Bytes of the tag behind what is encrypted.
const TAG_LEN: usize = 16;
/// The longest secret of a key: its seed, in as many bytes as the longest has, and two primes of half a modulus each.
const MAX_SECRET: usize = MAX_SEED + MAX_KEY / 2;
/// The same, encrypted.
pub(crate) const MAX_SEALED: usize = MAX_SECRET + TAG_LEN;

/// For each purpose another key.
const FOR_THE_KEY: &[u8] = b"privyseal-at-rest:v1:key";
const FOR_THE_MANIFEST: &[u8] = b"privyseal-at-rest:v1:manifest";

/// What a key is kept under.
#[derive(Clone)]
pub(crate) struct KeptUnder([u8; 32]);

/// The secret of a key does not open: another unlock secret, or another part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// Seed and primes, in clear. Wiped when it is dropped.
pub(crate) struct Secrets {
    bytes: [u8; MAX_SEALED],
    /// Bytes of a prime.
    half: usize,
}

impl KeptUnder {
    /// From all that `at_rest` names; `None` where something of that is not there.
    pub(crate) fn new<B: Board>(
        board: &mut B,
        at_rest: AtRest,
        salt: &[u8; SALT_LEN],
        unlock: Option<&UnlockSecret>,
    ) -> Option<Self> {
        let mut device_secret = if at_rest.device_secret {
            board.device_secret()?
        } else {
            [0; 32]
        };
        let given = match (at_rest.unlock_secret, unlock) {
            (true, Some(UnlockSecret(given))) => &given[..],
            (true, None) => return None,
            (false, _) => &[],
        };
        let mut mac = keyed(&device_secret);
        device_secret.zeroize();
        mac.update(&board.device_id());
        mac.update(&[at_rest.device_secret.into(), at_rest.unlock_secret.into()]);
        mac.update(salt);
        mac.update(given);
        Some(Self(mac.finalize().into_bytes().into()))
    }

    fn for_use(&self, purpose: &[u8]) -> [u8; 32] {
        let mut mac = keyed(&self.0);
        mac.update(purpose);
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        let mut key = Key::from(self.for_use(FOR_THE_KEY));
        let cipher = ChaCha20Poly1305::new(&key);
        key.zeroize();
        cipher
    }

    /// Proves that these pieces were made by a holder of the secrets.
    pub(crate) fn proof(&self, pieces: [&[u8]; 2]) -> [u8; PROOF_LEN] {
        let mut key = self.for_use(FOR_THE_MANIFEST);
        let mut mac = keyed(&key);
        key.zeroize();
        for piece in pieces {
            mac.update(piece);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Drop for KeptUnder {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Secrets {
    /// Of these numbers. `None` if they are too long, or the primes of different length.
    pub(crate) fn of(seed: &[u8], [p, q]: [&[u8]; 2]) -> Option<Self> {
        let mut secrets = Self::empty(p.len())?;
        if p.len() != q.len() || seed.len() > MAX_SEED {
            return None;
        }
        let (seed_place, primes) = secrets.bytes.split_at_mut_checked(MAX_SEED)?;
        copy(seed_place, seed);
        let (p_place, q_place) = primes.split_at_mut_checked(p.len())?;
        copy(p_place, p);
        copy(q_place, q);
        Some(secrets)
    }

    fn empty(half: usize) -> Option<Self> {
        (half <= MAX_KEY / 4).then_some(Self {
            bytes: [0; MAX_SEALED],
            half,
        })
    }

    fn len(&self) -> usize {
        self.half.saturating_mul(2).saturating_add(MAX_SEED)
    }

    /// Encrypted; `head` is bound to it.
    pub(crate) fn seal(mut self, under: &KeptUnder, head: &[&[u8]; 2]) -> Option<Sealed> {
        let len = self.len();
        let (secret, behind) = self.bytes.split_at_mut_checked(len)?;
        let bound = bound(head);
        let tag = under
            .cipher()
            .encrypt_inout_detached(&Nonce::default(), &bound, secret.into())
            .ok()?;
        copy(behind, &tag);
        Some(Sealed {
            bytes: self.bytes,
            len: len.saturating_add(TAG_LEN),
        })
    }

    /// What [`Secrets::seal`] made of it under the same secrets and for the same head.
    pub(crate) fn open(
        sealed: &[u8],
        under: &KeptUnder,
        head: &[&[u8]; 2],
    ) -> Result<Self, Closed> {
        let len = sealed.len().checked_sub(TAG_LEN).ok_or(Closed)?;
        let half = len.checked_sub(MAX_SEED).ok_or(Closed)? / 2;
        let mut secrets = Self::empty(half).ok_or(Closed)?;
        let (secret, tag) = sealed.split_at_checked(len).ok_or(Closed)?;
        let tag = Tag::try_from(tag).map_err(|_| Closed)?;
        let place = secrets.bytes.get_mut(..len).ok_or(Closed)?;
        copy(place, secret);
        let bound = bound(head);
        under
            .cipher()
            .decrypt_inout_detached(&Nonce::default(), &bound, place.into(), &tag)
            .map_err(|_| Closed)?;
        Ok(secrets)
    }

    /// The seed, with zeros behind it up to the length of the longest.
    pub(crate) fn seed(&self) -> &[u8] {
        self.bytes.get(..MAX_SEED).unwrap_or(&[])
    }

    /// The primes.
    pub(crate) fn primes(&self) -> (&[u8], &[u8]) {
        let primes = self.bytes.get(MAX_SEED..self.len()).unwrap_or(&[]);
        primes.split_at_checked(self.half).unwrap_or((&[], &[]))
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for Secrets {}

/// Encrypted.
pub(crate) struct Sealed {
    bytes: [u8; MAX_SEALED],
    len: usize,
}

impl AsRef<[u8]> for Sealed {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// Bytes that a sealed secret of a key has, whose numbers have so many.
pub(crate) const fn sealed_len(key: u32) -> u32 {
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // Less than a hundred.
    const BESIDES: u32 = (MAX_SEED + TAG_LEN) as u32;
    (key / 2).saturating_add(BESIDES)
}

/// SHA-256 of what is bound to the secret: one piece for the cipher.
fn bound(head: &[&[u8]; 2]) -> [u8; 32] {
    use sha2::Digest as _;
    let mut hash = Sha256::new();
    for piece in head {
        hash.update(piece);
    }
    hash.finalize().into()
}

fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const HEAD: [&[u8]; 2] = [b"record", b"modulus"];

    fn secrets() -> Secrets {
        Secrets::of(&[7; 48], [&[1; 128], &[2; 128]]).expect("numbers that fit")
    }

    #[test]
    fn what_is_sealed_opens_under_the_same_secrets_and_head_only() {
        let under = KeptUnder([3; 32]);
        let sealed = secrets().seal(&under, &HEAD).expect("it fits");
        let bytes = sealed.as_ref();
        assert_eq!(u32::try_from(bytes.len()), Ok(sealed_len(512)));
        for secret in [&[7; 8], &[1; 8], &[2; 8]] {
            assert!(bytes.windows(8).all(|window| window != secret));
        }
        let opened = Secrets::open(bytes, &under, &HEAD).expect("the same");
        assert_eq!(opened.primes(), (&[1; 128][..], &[2; 128][..]));
        assert_eq!(opened.seed(), [[7; 48].as_slice(), &[0; 16]].concat());

        let is_closed = |bytes: &[u8], under: &KeptUnder, head: &[&[u8]; 2]| {
            Secrets::open(bytes, under, head).is_err()
        };
        assert!(is_closed(bytes, &KeptUnder([4; 32]), &HEAD));
        assert!(is_closed(bytes, &under, &[b"record", b"another"]));
        for at in 0..bytes.len() {
            let mut changed: Vec<u8> = bytes.to_vec();
            changed[at] ^= 0x10;
            assert!(is_closed(&changed, &under, &HEAD), "byte {at}");
            assert!(is_closed(&bytes[..at], &under, &HEAD), "{at} bytes");
        }
    }

    /// By another implementation: Python's `cryptography` 50, whose output has this SHA-256.
    #[test]
    fn it_is_what_rfc_8439_says() {
        let under = KeptUnder([3; 32]);
        let sealed = secrets().seal(&under, &HEAD).expect("it fits");
        let digest: [u8; 32] = sha2::Digest::finalize(sha2::Digest::chain_update(
            <Sha256 as sha2::Digest>::new(),
            sealed.as_ref(),
        ))
        .into();
        let expected = [
            0x47, 0xe7, 0xda, 0x9d, 0x94, 0x6e, 0xba, 0x6c, 0xb2, 0x46, 0xb6, 0x99, 0xa2, 0x01,
            0xcd, 0x0e, 0xe3, 0x65, 0xfd, 0xb2, 0x6e, 0x36, 0xcd, 0xac, 0x5d, 0x7d, 0xc3, 0xc6,
            0x41, 0x5a, 0x36, 0x0c,
        ];
        assert_eq!(digest, expected);
    }
}
