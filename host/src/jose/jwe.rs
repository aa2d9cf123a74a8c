//! A JWE that somebody encrypted to us: an id_token, a UserInfo response (RFC 7516).
//!
//! Read are RSA-OAEP and RSA-OAEP-256 around the content key, and all of RFC 7518 section 5.1 around the content. What is in it is a signed JWT (RFC 7519 section 5.2: signed, then encrypted), whose
//! signature is still to be verified: encryption to a public key says nothing of who did it.
//!
//! The content key is unwrapped by an [`Unwrapper`], and nothing else is done there. If that fails, or
//! gives a key of another length, decryption goes on with a random key, and fails as it fails for content
//! that was changed (RFC 7516 section 11.5): who tries out what the key makes of a text learns nothing.

mod compact;
mod content;
mod encrypt;

use privyseal_core::{KeyEncryption, SignerError, SignerErrorKind, Unwrapper};
use zeroize::Zeroizing;

use super::JoseError;
use super::jwk::KidForm;
use crate::base::{BaseError, entropy};

pub use super::error::{JweFault, MAX_JWE};
pub use compact::Jwe;
pub use content::ContentEncryption;
use content::Sealed;
pub use encrypt::Recipient;

/// One byte more than the longest content key, so that a longer one shows.
const KEY_ROOM: usize = ContentEncryption::MAX_KEY_LEN + 1;

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
        let mut stand_in = Zeroizing::new([0; ContentEncryption::MAX_KEY_LEN]);
        let [key_len, ..] = self.content_encryption.lengths();
        let key = &mut stand_in[..key_len];
        entropy::fill(key)?;
        let mut room = Zeroizing::new([0; KEY_ROOM]);
        match unwrapper.unwrap_key(self.key_encryption, &self.encrypted_key, &mut *room) {
            Ok(len) if len == key.len() => key.copy_from_slice(&room[..len]),
            Ok(_) => {}
            Err(error) if error.kind() == SignerErrorKind::Undecipherable => {}
            Err(error) => return Err(DecryptError::Unwrapper(error)),
        }
        let sealed = Sealed {
            protected: self.protected,
            iv: &self.iv,
            ciphertext: &self.ciphertext,
            tag: &self.tag,
        };
        self.content_encryption
            .decrypt(key, &sealed)
            .ok_or(DecryptError::Jwe(JweFault::Undecipherable.into()))
    }

    /// The same with one of several keys, as there are while one is replaced: the one that the JWE names (`kid`), by
    /// whatever form its name was computed; where it names none of them, each in turn.
    ///
    /// # Errors
    ///
    /// As [`Jwe::decrypt`], of the last key.
    pub fn decrypt_with_one_of<U: Unwrapper>(
        &self,
        unwrappers: &mut [U],
    ) -> Result<Zeroizing<Vec<u8>>, DecryptError<U::Error>> {
        let is_named = |unwrapper: &U| {
            self.kid().is_some_and(|kid| {
                let mut forms = KidForm::ALL.iter();
                forms.any(|form| form.of(unwrapper.public_key()).as_kid().as_str() == kid)
            })
        };
        if let Some(named) = unwrappers.iter_mut().find(|one| is_named(one)) {
            return self.decrypt(named);
        }
        let mut outcome = Err(DecryptError::Jwe(JweFault::NoKey.into()));
        for unwrapper in unwrappers {
            outcome = self.decrypt(unwrapper);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

/// Whether `unwrapper` can do its part with that algorithm: it is given a key that was encrypted to it, and must give that
/// key back. A token that knows no such hash, or another one, is found out so.
///
/// # Errors
///
/// What is wrong with the unwrapper, its token or the algorithm there; [`JweFault::Undecipherable`] if it gives another
/// key, or none; [`DecryptError::Base`].
pub fn probe<U: Unwrapper>(
    unwrapper: &mut U,
    algorithm: KeyEncryption,
) -> Result<(), DecryptError<U::Error>> {
    let key = unwrapper.public_key().clone();
    let recipient = Recipient::new(key, algorithm, ContentEncryption::A256Gcm)
        .map_err(|_| DecryptError::Jwe(JweFault::Undecipherable.into()))?;
    let encrypted = recipient.encrypt("probe")?;
    Jwe::parse(&encrypted)?.decrypt(unwrapper).map(drop)
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
