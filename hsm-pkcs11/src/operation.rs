//! One signature, one place: two round trips, `C_SignInit` and `C_Sign`. Decryption is the same with
//! `C_DecryptInit` and `C_Decrypt`.
//!
//! The length of an RSA signature is that of the modulus, so nobody asks the module for it. Between the
//! two calls stands the login that a key with `CKA_ALWAYS_AUTHENTICATE` wants.

use std::convert::Infallible;

use cryptoki::error::RvError;
use cryptoki::object::ObjectHandle;
use privyseal_core::encoding::sink::Sink;
use privyseal_core::{CertificationRequestInfo, KeyEncryption, SigningInput};

use crate::error::{CallError, Error};
use crate::mechanism::{RsaPkcsOaep, SigningMechanism};
use crate::raw::RawModule;
use crate::session::OpenSession;

/// What may be signed: a sealed type of the core, and nothing else.
#[derive(Clone, Copy)]
pub(crate) enum ToSign<'a> {
    Assertion(&'a SigningInput<'a>),
    CertificationRequest(&'a CertificationRequestInfo<'a>),
}

impl ToSign<'_> {
    fn digest_info(self) -> [u8; 51] {
        match self {
            Self::Assertion(input) => input.digest_info(),
            Self::CertificationRequest(info) => info.digest_info(),
        }
    }

    /// The whole message, for a token that insists on hashing.
    fn message(self) -> Vec<u8> {
        let mut message = Message(Vec::new());
        let Ok(()) = match self {
            Self::Assertion(input) => input.write_to(&mut message),
            Self::CertificationRequest(info) => info.write_to(&mut message),
        };
        message.0
    }
}

/// Signs `input` into `signature`, which has the length of the modulus; gives how much was written.
/// `log_in` is called between the two round trips. After an error the session may have an operation
/// dangling, which would answer `CKR_OPERATION_ACTIVE` for ever: it must not be used again.
pub(crate) fn sign(
    module: &RawModule,
    session: &OpenSession,
    mechanism: SigningMechanism,
    key: ObjectHandle,
    input: ToSign<'_>,
    signature: &mut [u8],
    log_in: impl FnOnce() -> Result<(), Error>,
) -> Result<usize, Error> {
    session
        .sign_init(&mechanism.mechanism(), key)
        .map_err(|error| CallError::new("C_SignInit", &error))?;
    log_in()?;
    let written = match mechanism {
        SigningMechanism::RsaPkcs => module.sign(session, &input.digest_info(), signature),
        SigningMechanism::Sha256RsaPkcs => module.sign(session, &input.message(), signature),
    };
    Ok(written?)
}

/// Decrypts `encrypted` into the front of `plain`; gives how much was written, and None where the module
/// does not decrypt it. `log_in` is called between the two round trips.
pub(crate) fn decrypt(
    module: &RawModule,
    session: &OpenSession,
    algorithm: KeyEncryption,
    key: ObjectHandle,
    encrypted: &[u8],
    plain: &mut [u8],
    log_in: impl FnOnce() -> Result<(), Error>,
) -> Result<Option<usize>, Error> {
    session
        .decrypt_init(&RsaPkcsOaep::mechanism(algorithm), key)
        .map_err(|error| refused(algorithm, CallError::new("C_DecryptInit", &error)))?;
    log_in()?;
    match module.decrypt(session, encrypted, plain) {
        Ok(len) => Ok(Some(len)),
        Err(call) if call.is_undecipherable() => Ok(None),
        // Some modules read the parameters only now.
        Err(call) => Err(refused(algorithm, call)),
    }
}

/// A token need not know every hash that OAEP can have: SoftHSM knows SHA-1 only.
fn refused(algorithm: KeyEncryption, call: CallError) -> Error {
    match call.rv() {
        Some(
            RvError::ArgumentsBad | RvError::MechanismParamInvalid | RvError::MechanismInvalid,
        ) => Error::KeyEncryption { algorithm, call },
        _ => call.into(),
    }
}

struct Message(Vec<u8>);

impl Sink for Message {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
