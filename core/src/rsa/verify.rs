//! PKCS#1 v1.5 verification on fixed-size integers (RFC 8017 section 8.2.2).
//!
//! The expected encoded message is built and compared as a whole (the method RFC 8017 recommends in
//! its note), so there is nothing to parse and nothing to be lenient about.

use crypto_bigint::{Limb, U2048, U3072, U4096, Uint};

use super::digest::Digest;
use super::key::{KeyError, RsaPublicKey};
use super::montgomery::Modulus;
use super::signature::SignatureError;
use super::spki::spki_digest;
use crate::limits::MAX_SIGNATURE;

/// A public key made ready to verify: what is constant for its modulus is computed once, when it is made,
/// which costs more than one verification.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    key: RsaPublicKey,
    spki_digest: [u8; 32],
    params: Params,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // No heap to box the large ones in.
enum Params {
    Rsa2048(Fastest<{ U2048::LIMBS }, { 2 * U2048::LIMBS }, 5>),
    Rsa3072(Fastest<{ U3072::LIMBS }, { 2 * U3072::LIMBS }, 8>),
    Rsa4096(Fastest<{ U4096::LIMBS }, { 2 * U4096::LIMBS }, 10>),
}

impl VerifyingKey {
    /// Prepares `key`.
    ///
    /// # Errors
    /// [`KeyError::Size`] for a size that is not supported.
    pub fn new(key: RsaPublicKey) -> Result<Self, KeyError> {
        let params = match key.bits() {
            2048 => Params::Rsa2048(Fastest::new(&key)?),
            3072 => Params::Rsa3072(Fastest::new(&key)?),
            4096 => Params::Rsa4096(Fastest::new(&key)?),
            bits => return Err(KeyError::Size { bits }),
        };
        let spki_digest = spki_digest(&key);
        Ok(Self {
            key,
            spki_digest,
            params,
        })
    }

    /// Whether this processor has the instructions of `privyseal-ifma`: without them others are faster with a key that is used
    /// once.
    pub fn is_accelerated() -> bool {
        #[cfg(target_arch = "x86_64")]
        return privyseal_ifma::is_available();
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// The key as numbers.
    pub const fn public_key(&self) -> &RsaPublicKey {
        &self.key
    }

    /// SHA-256 of its SubjectPublicKeyInfo, which names it.
    pub const fn spki_digest(&self) -> &[u8; 32] {
        &self.spki_digest
    }

    /// Verifies an RSASSA-PKCS1-v1_5 signature over `digest`.
    ///
    /// # Errors
    /// [`SignatureError`]: of another length than the modulus, or wrong.
    pub fn verify(&self, digest: &Digest, signature: &[u8]) -> Result<(), SignatureError> {
        let expected = self.key.size();
        if signature.len() != expected {
            return Err(SignatureError::Length {
                len: signature.len(),
                expected,
            });
        }
        let verified = match &self.params {
            Params::Rsa2048(modulus) => is_signature(modulus, digest, signature),
            Params::Rsa3072(modulus) => is_signature(modulus, digest, signature),
            Params::Rsa4096(modulus) => is_signature(modulus, digest, signature),
        };
        if verified {
            Ok(())
        } else {
            Err(SignatureError::Invalid)
        }
    }

    /// RSAEP (RFC 8017 section 5.1.1): the number `message` to the key's exponent, in `encrypted`; both big-endian and as
    /// long as the modulus. Without a padding such as OAEP it hides nothing: that is the caller's.
    ///
    /// # Errors
    /// [`SignatureError`]: one of another length than the modulus, or a number that is not below it.
    pub fn encrypt_raw(&self, message: &[u8], encrypted: &mut [u8]) -> Result<(), SignatureError> {
        let expected = self.key.size();
        for len in [message.len(), encrypted.len()] {
            if len != expected {
                return Err(SignatureError::Length { len, expected });
            }
        }
        let is_below = match &self.params {
            Params::Rsa2048(modulus) => raised(modulus, message, encrypted),
            Params::Rsa3072(modulus) => raised(modulus, message, encrypted),
            Params::Rsa4096(modulus) => raised(modulus, message, encrypted),
        };
        if is_below {
            Ok(())
        } else {
            Err(SignatureError::Invalid)
        }
    }
}

/// Whether `number` is below the modulus; then its power is in `power`.
fn raised<const L: usize, const W: usize, const R: usize>(
    modulus: &Fastest<L, W, R>,
    number: &[u8],
    power: &mut [u8],
) -> bool {
    let mut limbs = [Limb::ZERO; L];
    let is_below = recover(modulus, number, &mut limbs);
    for (chunk, limb) in power.rchunks_mut(Limb::BYTES).zip(limbs) {
        let bytes = limb.0.to_le_bytes();
        for (place, byte) in chunk.iter_mut().rev().zip(bytes) {
            *place = byte;
        }
    }
    is_below
}

fn odd_modulus<const L: usize>(key: &RsaPublicKey) -> Result<Uint<L>, KeyError> {
    let modulus: Uint<L> = from_be(key.modulus());
    if bool::from(modulus.is_odd()) {
        Ok(modulus)
    } else {
        Err(KeyError::EvenModulus)
    }
}

/// Two steps with frames of their own: on a microcontroller the stack of both at once is a lot, and a small
/// key must not take that of a large one.
#[inline(never)]
fn is_signature<const L: usize, const W: usize, const R: usize>(
    modulus: &Fastest<L, W, R>,
    digest: &Digest,
    signature: &[u8],
) -> bool {
    let mut message = [Limb::ZERO; L];
    recover(modulus, signature, &mut message) && is_encoded(digest, &message)
}

/// RSAVP1 (RFC 8017 section 5.2.2); whether the signature is below the modulus (its step 1).
#[inline(never)]
fn recover<const L: usize, const W: usize, const R: usize>(
    modulus: &Fastest<L, W, R>,
    signature: &[u8],
    message: &mut [Limb; L],
) -> bool {
    let signature = from_be::<L>(signature);
    let below = signature < modulus.modulus();
    if below {
        *message = modulus.power(signature.as_limbs());
    }
    below
}

#[inline(never)]
fn is_encoded<const L: usize>(digest: &Digest, message: &[Limb; L]) -> bool {
    encoded_message::<L>(digest).is_some_and(|expected| expected.as_limbs() == message)
}

/// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): `00 01 FF .. FF 00 DigestInfo`, as long as the modulus.
fn encoded_message<const LIMBS: usize>(digest: &Digest) -> Option<Uint<LIMBS>> {
    let mut buffer = [0xff; MAX_SIGNATURE];
    let size = Uint::<LIMBS>::BYTES;
    let encoded = buffer.get_mut(..size)?;
    if let [first, second, ..] = encoded {
        (*first, *second) = (0, 1);
    }
    let info = digest.prefix().iter().chain(digest.as_bytes()).rev();
    let mut places = encoded.iter_mut().rev();
    for (byte, place) in info.zip(places.by_ref()) {
        *place = *byte;
    }
    *places.next()? = 0;
    Some(from_be(encoded))
}

/// A big-endian number of at most `LIMBS` limbs.
fn from_be<const LIMBS: usize>(bytes: &[u8]) -> Uint<LIMBS> {
    const LIMB: usize = size_of::<crypto_bigint::Word>();
    let mut words = [0; LIMBS];
    for (word, chunk) in words.iter_mut().zip(bytes.rchunks(LIMB)) {
        *word = chunk
            .iter()
            .fold(0, |sum, &byte| (sum << 8) | crypto_bigint::Word::from(byte));
    }
    Uint::from_words(words)
}

/// Powers modulo a public key's modulus of `L` limbs, with the key's exponent; by processors that can in `R` registers of eight
/// digits of 52 bits.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // As above.
enum Fastest<const L: usize, const W: usize, const R: usize> {
    /// Where the processor has the instructions.
    #[cfg(target_arch = "x86_64")]
    Ifma(privyseal_ifma::Modulus<L, R>),
    Portable(Modulus<L, W>),
}

impl<const L: usize, const W: usize, const R: usize> Fastest<L, W, R> {
    fn new(key: &RsaPublicKey) -> Result<Self, KeyError> {
        let modulus: Uint<L> = odd_modulus(key)?;
        #[cfg(target_arch = "x86_64")]
        if let Some(modulus) = privyseal_ifma::Modulus::new(modulus.to_words(), key.exponent()) {
            return Ok(Self::Ifma(modulus));
        }
        Ok(Self::Portable(Modulus::new(
            modulus.to_limbs(),
            key.exponent(),
        )))
    }

    fn modulus(&self) -> Uint<L> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ifma(modulus) => Uint::from_words(*modulus.limbs()),
            Self::Portable(modulus) => Uint::new(*modulus.limbs()),
        }
    }

    /// `base` to the exponent, modulo the modulus; `base` must be below it.
    fn power(&self, base: &[Limb; L]) -> [Limb; L] {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ifma(modulus) => modulus.power(&base.map(|limb| limb.0)).map(Limb),
            Self::Portable(modulus) => modulus.power(base),
        }
    }
}
