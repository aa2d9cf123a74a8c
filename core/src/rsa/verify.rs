//! PKCS#1 v1.5 verification on fixed-size integers (RFC 8017 section 8.2.2).
//!
//! The expected encoded message is built and compared as a whole (the method RFC 8017 recommends in
//! its note), so there is nothing to parse and nothing to be lenient about.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048, U3072, U4096, Uint};

use super::digest::Digest;
use super::key::{KeyError, RsaPublicKey};
use super::signature::SignatureError;
use crate::limits::MAX_SIGNATURE;

/// A public key made ready to verify: the Montgomery parameters of its modulus are computed once, when
/// it is made, which costs more than one verification.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    key: RsaPublicKey,
    params: Params,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // No heap to box the large ones in.
enum Params {
    Rsa2048(FixedMontyParams<{ U2048::LIMBS }>),
    Rsa3072(FixedMontyParams<{ U3072::LIMBS }>),
    Rsa4096(FixedMontyParams<{ U4096::LIMBS }>),
}

impl VerifyingKey {
    /// Prepares `key`.
    pub fn new(key: RsaPublicKey) -> Result<Self, KeyError> {
        let modulus = key.modulus();
        let params = match key.bits() {
            2048 => Params::Rsa2048(params(modulus)?),
            3072 => Params::Rsa3072(params(modulus)?),
            4096 => Params::Rsa4096(params(modulus)?),
            bits => return Err(KeyError::Size { bits }),
        };
        Ok(Self { key, params })
    }

    /// The key as numbers.
    pub const fn public_key(&self) -> &RsaPublicKey {
        &self.key
    }

    /// Verifies an RSASSA-PKCS1-v1_5 signature over `digest`.
    pub fn verify(&self, digest: &Digest, signature: &[u8]) -> Result<(), SignatureError> {
        let expected = self.key.size();
        if signature.len() != expected {
            return Err(SignatureError::Length {
                len: signature.len(),
                expected,
            });
        }
        let exponent = self.key.exponent();
        let verified = match &self.params {
            Params::Rsa2048(params) => is_signature(params, exponent, digest, signature),
            Params::Rsa3072(params) => is_signature(params, exponent, digest, signature),
            Params::Rsa4096(params) => is_signature(params, exponent, digest, signature),
        };
        if verified {
            Ok(())
        } else {
            Err(SignatureError::Invalid)
        }
    }
}

fn params<const LIMBS: usize>(modulus: &[u8]) -> Result<FixedMontyParams<LIMBS>, KeyError> {
    let modulus = from_be(modulus);
    let odd = Option::<Odd<Uint<LIMBS>>>::from(Odd::new(modulus)).ok_or(KeyError::EvenModulus)?;
    Ok(FixedMontyParams::new_vartime(odd))
}

fn is_signature<const LIMBS: usize>(
    params: &FixedMontyParams<LIMBS>,
    exponent: u32,
    digest: &Digest,
    signature: &[u8],
) -> bool {
    let signature = from_be::<LIMBS>(signature);
    // RFC 8017 section 5.2.2 step 1: the representative must be below the modulus.
    if signature >= *params.modulus().as_ref() {
        return false;
    }
    let Some(expected) = encoded_message::<LIMBS>(digest) else {
        return false;
    };
    // m = s^e mod n is compared in Montgomery form: one conversion of a number that is needed anyway.
    power(FixedMontyForm::new(&signature, params), exponent)
        == FixedMontyForm::new(&expected, params)
}

/// `base` to a public exponent above 1, most significant bit first.
fn power<const LIMBS: usize>(base: FixedMontyForm<LIMBS>, exponent: u32) -> FixedMontyForm<LIMBS> {
    let mut power = base;
    let mut bit = (1_u32 << 31) >> exponent.leading_zeros();
    while bit > 1 {
        bit >>= 1;
        power = power.square();
        if exponent & bit != 0 {
            power = power.mul(&base);
        }
    }
    power
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
