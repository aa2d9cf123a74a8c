//! An unwrapper without hardware. **For tests only**, as [`crate::software_signer`] is.

use core::fmt;

use privyseal_core::rsa::RsaPublicKey;
use privyseal_core::signer::{SignerError, SignerErrorKind};
use privyseal_core::unwrapper::{KeyEncryption, Unwrapper};
use rsa::sha2::Sha256;
use rsa::traits::PaddingScheme as _;
use rsa::{Oaep, RsaPrivateKey};
use sha1::Sha1;

use privyseal_test_pki::TestKey;

/// Decrypts with a key in memory.
#[derive(Clone)]
pub struct SoftwareUnwrapper {
    key: RsaPrivateKey,
    public_key: RsaPublicKey,
    /// How many keys were to be unwrapped.
    pub calls: usize,
    takes_other_hash: bool,
}

/// The `rsa` crate could not decrypt.
#[derive(Debug)]
pub struct SoftwareUnwrapperError(rsa::Error);

impl SoftwareUnwrapper {
    /// Decrypts with `key`.
    ///
    /// # Panics
    /// If the core supports no key of this size.
    pub fn new(key: &TestKey) -> Self {
        Self {
            public_key: key.public_key(),
            key: key.private_key().clone(),
            calls: 0,
            takes_other_hash: false,
        }
    }

    /// One that takes SHA-1 where SHA-256 is asked for, and the other way round, as tokens do that do not look.
    #[must_use]
    pub const fn taking_the_other_hash(mut self) -> Self {
        self.takes_other_hash = true;
        self
    }
}

impl Unwrapper for SoftwareUnwrapper {
    type Error = SoftwareUnwrapperError;

    fn public_key(&self) -> &RsaPublicKey {
        &self.public_key
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, Self::Error> {
        self.calls += 1;
        let takes_sha1 = (algorithm == KeyEncryption::RsaOaep) != self.takes_other_hash;
        let plain = if takes_sha1 {
            Oaep::<Sha1>::new().decrypt(NO_RNG, &self.key, encrypted)
        } else {
            Oaep::<Sha256>::new().decrypt(NO_RNG, &self.key, encrypted)
        }
        .map_err(SoftwareUnwrapperError)?;
        let room = key
            .get_mut(..plain.len())
            .ok_or(SoftwareUnwrapperError(rsa::Error::Decryption))?;
        room.copy_from_slice(&plain);
        Ok(plain.len())
    }
}

/// Blinding is for keys that are worth something.
const NO_RNG: Option<&mut rsa::rand_core::UnwrapErr<getrandom::SysRng>> = None;

impl fmt::Debug for SoftwareUnwrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareUnwrapper({:?})", self.public_key)
    }
}

impl fmt::Display for SoftwareUnwrapperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the software key cannot decrypt: {}", self.0)
    }
}

impl std::error::Error for SoftwareUnwrapperError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl SignerError for SoftwareUnwrapperError {
    fn kind(&self) -> SignerErrorKind {
        SignerErrorKind::Undecipherable
    }
}
