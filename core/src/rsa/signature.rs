//! The bytes a signer gives.

use thiserror::Error;

use heapless::Vec;

use crate::limits::MAX_SIGNATURE;

/// An RSA signature, big-endian, at most [`MAX_SIGNATURE`] bytes. A signer fills it; what it holds is
/// unverified until the pipeline has verified it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Signature(Vec<u8, MAX_SIGNATURE>);

/// Why a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The signature has another length than the key's modulus (RFC 8017 section 8.2.2 step 1).
    #[error("the signature has {len} bytes, the key makes {expected} (RFC 8017 section 8.2.2)")]
    Length {
        /// Bytes of the signature.
        len: usize,
        /// Bytes of the modulus.
        expected: usize,
    },
    /// The signature is not that of these bytes by this key.
    #[error("the signature does not verify with the public key")]
    Invalid,
}

impl Signature {
    /// No signature yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes the bytes of a signature; a signer calls it. More than [`MAX_SIGNATURE`] bytes are
    /// refused, and nothing is kept of them.
    ///
    /// # Errors
    /// [`SignatureError::Length`].
    pub fn set(&mut self, bytes: &[u8]) -> Result<(), SignatureError> {
        self.0.clear();
        self.0
            .extend_from_slice(bytes)
            .map_err(|_| SignatureError::Length {
                len: bytes.len(),
                expected: MAX_SIGNATURE,
            })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

opaque_debug! { [] Signature as it: len = it.0.len(); }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_is_taken_and_of_a_longer_one_nothing_is_kept() {
        let mut signature = Signature::new();
        assert_eq!(signature.set(&[1; MAX_SIGNATURE]), Ok(()));
        assert_eq!(signature.as_bytes(), [1; MAX_SIGNATURE]);
        assert!(std::format!("{signature:?}").contains("512"));
        let len = MAX_SIGNATURE + 1;
        let expected = MAX_SIGNATURE;
        let refused = signature.set(&[2; MAX_SIGNATURE + 1]);
        assert_eq!(refused, Err(SignatureError::Length { len, expected }));
        assert!(signature.as_bytes().is_empty());
    }
}
