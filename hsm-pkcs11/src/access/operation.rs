//! What an open key does: two round trips for a signature, `C_SignInit` and `C_Sign`, and two to decrypt a
//! content encryption key, `C_DecryptInit` and `C_Decrypt`.
//!
//! The length of an RSA signature is that of the modulus, so the module is not asked for it. Between the
//! two calls stands the login that a key with `CKA_ALWAYS_AUTHENTICATE` wants. After an error the session may
//! have an operation dangling, which would answer `CKR_OPERATION_ACTIVE` for ever: it is not used again.

use std::sync::atomic::Ordering;

use cryptoki_sys::{
    CK_RSA_PKCS_OAEP_PARAMS, CKR_ARGUMENTS_BAD, CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID,
};
use privyseal_core::limits::MAX_SIGNATURE;
use privyseal_core::{KeyEncryption, Signature};
use privyseal_hsm::SealedInput;
use zeroize::Zeroizing;

use super::{KeyAccess, SignSession};
use crate::error::{CallError, Error};
use crate::mechanism::{KeyOperation, RsaPkcsOaep, SigningMechanism};

impl<O: KeyOperation> KeyAccess<O> {
    /// Uses the key in `session`, or in another if there is none or it is outdated, and has `judge` say what came of
    /// it. What was lost is recovered, and then the key is used again.
    fn use_key<T>(
        &self,
        session: &mut Option<SignSession>,
        parameters: Option<CK_RSA_PKCS_OAEP_PARAMS>,
        input: &[u8],
        output: &mut [u8],
        mut judge: impl FnMut(Result<usize, CallError>, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.with_recovery(|reason| {
            // Taken, and put back only after success: a session that failed is closed here.
            let ready = match session.take().filter(|session| self.is_current(session)) {
                Some(session) => session,
                None => self.checkout()?,
            };
            let module = self.module.enter()?;
            if !ready.session.is_current() {
                // The module was initialized again a moment ago: this number may be another session's now.
                return Err(Error::Disconnected);
            }
            let (raw, handle) = (module.raw(), ready.session.handle());
            raw.begin(O::USE, handle, self.mechanism.kind(), parameters, ready.key)?;
            if self.always_authenticate {
                let mut authenticator = self.alone_with(&self.authenticator)?;
                authenticator.log_in(&module, &ready.session, &ready.found, reason, None)?;
            }
            let result = judge(raw.finish(O::USE, handle, input, output), output)?;
            drop(module);
            *session = Some(ready);
            if !self.proved.load(Ordering::Relaxed) {
                self.proved.store(true, Ordering::Relaxed);
            }
            Ok(result)
        })
    }
}

impl KeyAccess<SigningMechanism> {
    /// Signs `input`. If it is signed again, it is the same signature, as RS256 is deterministic.
    pub(crate) fn sign(
        &self,
        session: &mut Option<SignSession>,
        input: SealedInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), Error> {
        let data = match self.mechanism {
            SigningMechanism::RsaPkcs => input.digest_info().to_vec(),
            SigningMechanism::Sha256RsaPkcs => input.message(),
        };
        let mut buffer = [0; MAX_SIGNATURE];
        let expected = self.public.size();
        let buffer = buffer.get_mut(..expected).unwrap_or_default();
        self.use_key(session, None, &data, buffer, |len, made| {
            let len = len?;
            if len == expected && signature.set(made).is_ok() {
                return Ok(());
            }
            Err(Error::SignatureLength { len, expected })
        })
    }
}

impl KeyAccess<RsaPkcsOaep> {
    /// Decrypts `encrypted` into the front of `key` and gives its length.
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
        let parameters = Some(RsaPkcsOaep::parameters(algorithm));
        // If the module did not decrypt, the session is kept as after success: `C_Decrypt` ends its operation either way
        // (PKCS #11 3.1 section 5.10.2), and closing one only after a failure would show in the time.
        let len = self.use_key(session, parameters, encrypted, plain, |len, _| match len {
            Err(call) if call.is_undecipherable() => Ok(None),
            len => Ok(Some(len?)),
        });
        let len = len.map_err(|error| refused(algorithm, error))?;
        let len = len.ok_or(Error::Undecipherable)?;
        match (buffer.get(..len), key.get_mut(..len)) {
            (Some(plain), Some(room)) => room.copy_from_slice(plain),
            _ => return Err(Error::Undecipherable),
        }
        Ok(len)
    }
}

/// A token need not know every hash that OAEP can have: SoftHSM knows SHA-1 only. Some modules read the parameters when
/// they decrypt.
fn refused(algorithm: KeyEncryption, error: Error) -> Error {
    match error {
        Error::Call(call) if call.function().starts_with("C_Decrypt") => match call.rv() {
            Some(CKR_ARGUMENTS_BAD | CKR_MECHANISM_PARAM_INVALID | CKR_MECHANISM_INVALID) => {
                Error::KeyEncryption { algorithm, call }
            }
            _ => Error::Call(call),
        },
        error => error,
    }
}
