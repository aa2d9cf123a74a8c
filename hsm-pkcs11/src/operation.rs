//! One signature, one place.
//!
//! cryptoki 0.12 has no safe call for a single `C_Sign` with a buffer that is known to be large enough:
//! its `sign` first asks for the length, so a signature costs three round trips (`C_SignInit`, `C_Sign`
//! without a buffer, `C_Sign`). A raw call that makes two, and the context-specific login that keys with
//! `CKA_ALWAYS_AUTHENTICATE` want between them, can replace the body of [`sign`] without touching
//! anything else.

use std::convert::Infallible;

use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use privyseal_core::encoding::sink::Sink;
use privyseal_core::{CertificationRequestInfo, SigningInput};

use crate::error::CallError;
use crate::mechanism::SigningMechanism;

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

/// Signs `input`. After an error the session may have an operation dangling, which would answer
/// `CKR_OPERATION_ACTIVE` for ever: it must not be used again.
pub(crate) fn sign(
    session: &Session,
    mechanism: SigningMechanism,
    key: ObjectHandle,
    input: ToSign<'_>,
) -> Result<Vec<u8>, CallError> {
    let signature = match mechanism {
        SigningMechanism::RsaPkcs => {
            session.sign(&mechanism.mechanism(), key, &input.digest_info())
        }
        SigningMechanism::Sha256RsaPkcs => {
            session.sign(&mechanism.mechanism(), key, &input.message())
        }
    };
    signature.map_err(|error| CallError::new("C_Sign", &error))
}

struct Message(Vec<u8>);

impl Sink for Message {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
