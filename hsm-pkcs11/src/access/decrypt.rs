//! Decrypting with a key that is open: content encryption keys, and nothing else.

use privyseal_core::KeyEncryption;
use privyseal_core::limits::MAX_SIGNATURE;
use zeroize::Zeroizing;

use super::{KeyAccess, Work};
use crate::error::Error;
use crate::login::Occasion;
use crate::mechanism::RsaPkcsOaep;
use crate::operation;

impl KeyAccess<RsaPkcsOaep> {
    /// Decrypts `encrypted` into the front of `key` and gives its length. What was lost is healed first.
    pub(crate) fn decrypt(
        &self,
        work: &mut Option<Work>,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, Error> {
        if encrypted.len() != self.public.size() {
            return Err(Error::Undecipherable);
        }
        // As long as the modulus, which some modules want whatever they write.
        let mut buffer = Zeroizing::new([0; MAX_SIGNATURE]);
        let plain = buffer.get_mut(..self.public.size()).unwrap_or_default();
        let len = self
            .healing(|occasion| self.decrypt_once(work, algorithm, encrypted, plain, occasion))?;
        let len = len.ok_or(Error::Undecipherable)?;
        match (buffer.get(..len), key.get_mut(..len)) {
            (Some(plain), Some(room)) => room.copy_from_slice(plain),
            _ => return Err(Error::Undecipherable),
        }
        Ok(len)
    }

    /// None if the module did not decrypt. The session is kept then, as it is after success: `C_Decrypt`
    /// ends its operation either way (PKCS #11 3.1 section 5.10.2), and closing one only after a failure
    /// would show in the time.
    fn decrypt_once(
        &self,
        work: &mut Option<Work>,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        plain: &mut [u8],
        occasion: Occasion,
    ) -> Result<Option<usize>, Error> {
        self.once(work, |module, ready| {
            operation::decrypt(
                module.raw(),
                &ready.session,
                algorithm,
                ready.key,
                encrypted,
                plain,
                || self.log_in_for_use(module, ready, occasion),
            )
        })
    }
}
