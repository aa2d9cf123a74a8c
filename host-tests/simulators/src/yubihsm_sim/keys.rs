//! RSA keys.

use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::sha2::Sha256;
use rsa::signature::SignatureEncoding as _;
use rsa::signature::hazmat::PrehashSigner as _;
use rsa::traits::PaddingScheme as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, Oaep, RsaPrivateKey};
use sha1::Sha1;

use super::wire::{Outcome, Refusal};
use privyseal_test_pki::TestKey;

/// An RSA key on the device.
#[derive(Debug)]
pub(super) struct RsaKey(RsaPrivateKey);

/// The length of a modulus in bytes, by algorithm.
pub(super) const fn size(algorithm: u8) -> Option<usize> {
    match algorithm {
        9 => Some(256),
        10 => Some(384),
        11 => Some(512),
        _ => None,
    }
}

pub(super) const fn algorithm(size: usize) -> u8 {
    match size {
        256 => 9,
        384 => 10,
        _ => 11,
    }
}

impl RsaKey {
    pub(super) fn generate(size: usize) -> Self {
        Self(TestKey::generate(8 * size).private_key().clone())
    }

    pub(super) fn from_test(key: &TestKey) -> Self {
        Self(key.private_key().clone())
    }

    /// From p and q, one after the other.
    pub(super) fn from_primes(primes: &[u8]) -> Result<Self, Refusal> {
        let (p, q) = primes.split_at(primes.len() / 2);
        let key = RsaPrivateKey::from_p_q(
            BoxedUint::from_be_slice_vartime(p),
            BoxedUint::from_be_slice_vartime(q),
            BoxedUint::from(65_537_u32),
        );
        key.map(Self).map_err(|_| Refusal::InvalidData)
    }

    pub(super) fn size(&self) -> usize {
        self.0.size()
    }

    /// The bare modulus.
    pub(super) fn modulus(&self) -> Vec<u8> {
        self.0.n_bytes().into_vec()
    }

    pub(super) fn spki_der(&self) -> Vec<u8> {
        self.0
            .to_public_key()
            .to_public_key_der()
            .expect("a key can be encoded")
            .into_vec()
    }

    /// `data` is the encrypted key and the digest of the label, whose length says which hash is meant. Only the empty
    /// label.
    pub(super) fn decrypt_oaep(&self, mgf: u8, data: &[u8]) -> Outcome {
        let (encrypted, label) = data
            .split_at_checked(self.size())
            .ok_or(Refusal::WrongLength)?;
        let plain = match (mgf, label.len()) {
            (32, 20) => Oaep::<Sha1>::new().decrypt(NO_RNG, &self.0, encrypted),
            (33, 32) => Oaep::<Sha256>::new().decrypt(NO_RNG, &self.0, encrypted),
            _ => return Err(Refusal::InvalidData),
        };
        plain.map_err(|_| Refusal::InvalidData)
    }

    /// Of a digest, or of the `DigestInfo` of one; SHA-256 only.
    pub(super) fn sign(&self, data: &[u8]) -> Outcome {
        let digest = match data.len() {
            32 => data,
            51 => data
                .strip_prefix(&SHA256_DIGEST_INFO)
                .ok_or(Refusal::InvalidData)?,
            _ => return Err(Refusal::WrongLength),
        };
        let signature = SigningKey::<Sha256>::new(self.0.clone()).sign_prehash(digest);
        Ok(signature.expect("the key can sign").to_vec())
    }
}

/// What comes before a SHA-256 digest (RFC 8017 section 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Decryption without blinding: this is no place for secrets.
const NO_RNG: Option<&mut rsa::rand_core::UnwrapErr<getrandom::SysRng>> = None;
