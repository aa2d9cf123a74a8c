//! What an open key does: two round trips for a signature, `C_SignInit` and `C_Sign`, and two to decrypt a
//! content encryption key, `C_DecryptInit` and `C_Decrypt`.
//!
//! The length of an RSA signature is that of the modulus, so the module is not asked for it. Between the
//! two calls stands the login that a key with `CKA_ALWAYS_AUTHENTICATE` wants. After an error the session may
//! have an operation dangling, which would answer `CKR_OPERATION_ACTIVE` for ever: it is not used again.

use cryptoki_sys::{CKR_ARGUMENTS_BAD, CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID};
use privyseal_core::limits::MAX_SIGNATURE;
use privyseal_core::{KeyEncryption, Signature};
use privyseal_hsm::SealedInput;
use zeroize::Zeroizing;

use super::{KeyAccess, SignSession};
use crate::error::{CallError, Error};
use crate::login::LoginReason;
use crate::mechanism::{KeyOperation as _, RsaPkcsOaep, SigningMechanism};

impl KeyAccess<SigningMechanism> {
    /// Signs `input` in `session`, or in another if there is none or it is outdated. What was lost is
    /// recovered, and then the signature is made: the same one, as RS256 is deterministic.
    pub(crate) fn sign(
        &self,
        session: &mut Option<SignSession>,
        input: SealedInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), Error> {
        self.with_recovery(|reason| self.sign_once(session, input, signature, reason))
    }

    fn sign_once(
        &self,
        session: &mut Option<SignSession>,
        input: SealedInput<'_>,
        signature: &mut Signature,
        reason: LoginReason,
    ) -> Result<(), Error> {
        let mut buffer = [0; MAX_SIGNATURE];
        let expected = self.public.size();
        let buffer = buffer.get_mut(..expected).unwrap_or_default();
        self.once(session, |module, ready| {
            let session = ready.session.handle();
            module
                .raw()
                .sign_init(session, self.mechanism.kind(), ready.key)?;
            self.log_in_for_use(module, ready, reason)?;
            let sign = |data: &[u8], buffer| module.raw().sign(session, data, buffer);
            let len = match self.mechanism {
                SigningMechanism::RsaPkcs => sign(&input.digest_info(), &mut *buffer),
                SigningMechanism::Sha256RsaPkcs => sign(&input.message(), &mut *buffer),
            }?;
            let length = Error::SignatureLength { len, expected };
            if len != expected {
                return Err(length);
            }
            signature.set(buffer).map_err(|_| length)
        })
    }
}

impl KeyAccess<RsaPkcsOaep> {
    /// Decrypts `encrypted` into the front of `key` and gives its length. What was lost is recovered first.
    pub(crate) fn decrypt(
        &self,
        session: &mut Option<SignSession>,
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
            .with_recovery(|reason| {
                self.decrypt_once(session, algorithm, encrypted, plain, reason)
            })?
            .ok_or(Error::Undecipherable)?;
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
        session: &mut Option<SignSession>,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        plain: &mut [u8],
        reason: LoginReason,
    ) -> Result<Option<usize>, Error> {
        self.once(session, |module, ready| {
            let (session, parameters) =
                (ready.session.handle(), RsaPkcsOaep::parameters(algorithm));
            module
                .raw()
                .decrypt_init(session, self.mechanism.kind(), parameters, ready.key)
                .map_err(|call| refused(algorithm, call))?;
            self.log_in_for_use(module, ready, reason)?;
            match module.raw().decrypt(session, encrypted, plain) {
                Ok(len) => Ok(Some(len)),
                Err(call) if call.is_undecipherable() => Ok(None),
                // Some modules read the parameters only now.
                Err(call) => Err(refused(algorithm, call)),
            }
        })
    }
}

/// A token need not know every hash that OAEP can have: SoftHSM knows SHA-1 only.
fn refused(algorithm: KeyEncryption, call: CallError) -> Error {
    match call.rv() {
        Some(CKR_ARGUMENTS_BAD | CKR_MECHANISM_PARAM_INVALID | CKR_MECHANISM_INVALID) => {
            Error::KeyEncryption { algorithm, call }
        }
        _ => call.into(),
    }
}
