//! A JWE that somebody encrypted to us: an id_token, a UserInfo response (RFC 7516).
//!
//! Only what itsme uses is read: RSA-OAEP or RSA-OAEP-256 around the content key, A128CBC-HS256 or A256GCM
//! around the content. What is in it is a signed JWT (RFC 7519 section 5.2: signed, then encrypted), whose
//! signature is still to be verified: encryption to a public key says nothing of who did it.
//!
//! The content key is unwrapped by an [`Unwrapper`], and nothing else is done there. If that fails, or
//! gives a key of another length, decryption goes on with a random key, and fails as it fails for content
//! that was changed (RFC 7516 section 11.5): who tries out what the key makes of a text learns nothing.

mod compact;
mod content;

use privyseal_core::{SignerError, SignerErrorKind, Unwrapper};
use zeroize::Zeroizing;

use super::JoseError;
use crate::base::{BaseError, entropy};

pub use super::error::JweFault;
pub use compact::{Jwe, MAX_JWE};
pub use content::ContentEncryption;

/// As long as the longest content key, and longer than both.
const KEY_ROOM: usize = 64;

impl Jwe<'_> {
    /// The plaintext, if it was encrypted to the key of `unwrapper` and not changed since.
    ///
    /// # Errors
    ///
    /// [`JweFault::Undecipherable`], which does not say whether the key or the content was wrong; or what is
    /// wrong with the unwrapper.
    pub fn decrypt<U: Unwrapper>(
        &self,
        unwrapper: &mut U,
    ) -> Result<Zeroizing<Vec<u8>>, DecryptError<U::Error>> {
        // Made before it is known whether it will be needed, so that it costs no time of its own.
        let mut key = Zeroizing::new([0; ContentEncryption::KEY_LEN]);
        entropy::fill(&mut *key)?;
        let mut room = Zeroizing::new([0; KEY_ROOM]);
        match unwrapper.unwrap_key(self.key_encryption, &self.encrypted_key, &mut *room) {
            Ok(ContentEncryption::KEY_LEN) => {
                key.copy_from_slice(&room[..ContentEncryption::KEY_LEN]);
            }
            Ok(_) => {}
            Err(error) if error.kind() == SignerErrorKind::Undecipherable => {}
            Err(error) => return Err(DecryptError::Unwrapper(error)),
        }
        self.content_encryption
            .decrypt(&key, self.protected, &self.iv, &self.ciphertext, &self.tag)
            .ok_or(DecryptError::Jwe(JweFault::Undecipherable.into()))
    }
}

/// Why there is no plaintext.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError<E: SignerError> {
    /// The JWE is not for this key, or was changed.
    #[error("{0}")]
    Jwe(#[from] JoseError),
    /// There was no randomness for the key that stands in for a wrong one.
    #[error("{0}")]
    Base(#[from] BaseError),
    /// The key could not be used at all: its token, its PIN, the hash.
    #[error("{0}")]
    Unwrapper(E),
}
