//! The other seam to the hardware: whatever holds the private key that others encrypt to.
//!
//! A JWE (RFC 7516) has its content encrypted with a key that was made for it alone, and that key
//! encrypted with RSA-OAEP (RFC 7518 section 4.3). An unwrapper does the second half backwards, and nothing
//! else: it takes one such key, and never content. It is not a [`crate::Signer`]; a key that signs should
//! not decrypt (NIST SP 800-57 part 1 section 5.2), and tokens let a key do only what it was made for.
//!
//! **Who hides a failure:** the caller. An unwrapper says [`SignerErrorKind::Undecipherable`] where the
//! key cannot be decrypted; the caller must then continue with a random one, so that the sender
//! learns nothing from when or how decryption failed (RFC 7516 section 11.5).
//!
//! [`SignerErrorKind::Undecipherable`]: crate::SignerErrorKind::Undecipherable

use crate::rsa::RsaPublicKey;
use crate::signer::SignerError;

/// Decrypts content encryption keys with RSA-OAEP.
pub trait Unwrapper {
    /// Why it did not decrypt; keeps its own typed source and says of what kind it is.
    type Error: SignerError;

    /// The public key to which keys are encrypted.
    fn public_key(&self) -> &RsaPublicKey;

    /// Decrypts `encrypted`, exactly as long as the modulus, into the front of `key`; gives its length.
    /// What does not fit is [`Undecipherable`] too. The caller wipes `key`; on an error its
    /// content is unspecified.
    ///
    /// [`Undecipherable`]: crate::SignerErrorKind::Undecipherable
    ///
    /// # Errors
    /// The unwrapper's own; [`Undecipherable`] where the key was not encrypted to this one.
    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, Self::Error>;
}

named! {
    /// How a content encryption key is encrypted: the `alg` of a JWE.
    #[allow(clippy::exhaustive_enums, reason = "unwrappers handle each")]
    pub enum KeyEncryption {
        /// `RSA-OAEP`: with SHA-1 and MGF1 with SHA-1 (RFC 7518 section 4.3, RFC 8017 appendix A.2.1).
        RsaOaep = "RSA-OAEP",
        /// `RSA-OAEP-256`: with SHA-256 and MGF1 with SHA-256 (RFC 7518 section 4.3).
        RsaOaep256 = "RSA-OAEP-256",
    }
}

impl<U: Unwrapper + ?Sized> Unwrapper for &mut U {
    type Error = U::Error;

    fn public_key(&self) -> &RsaPublicKey {
        (**self).public_key()
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, U::Error> {
        (**self).unwrap_key(algorithm, encrypted, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for algorithm in KeyEncryption::ALL {
            assert_eq!(KeyEncryption::by_name(algorithm.name()), Some(algorithm));
        }
        for name in ["", "RSA1_5", "rsa-oaep", "RSA-OAEP-512", "dir"] {
            assert_eq!(KeyEncryption::by_name(name), None);
        }
    }
}
