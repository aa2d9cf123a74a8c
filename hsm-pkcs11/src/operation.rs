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
use privyseal_core::SigningInput;
use privyseal_core::encoding::sink::Sink;

use crate::error::CallError;
use crate::mechanism::SigningMechanism;

/// Signs `input`. After an error the session may have an operation dangling, which would answer
/// `CKR_OPERATION_ACTIVE` for ever: it must not be used again.
pub(crate) fn sign(
    session: &Session,
    mechanism: SigningMechanism,
    key: ObjectHandle,
    input: &SigningInput<'_>,
) -> Result<Vec<u8>, CallError> {
    let signature = match mechanism {
        SigningMechanism::RsaPkcs => {
            session.sign(&mechanism.mechanism(), key, &input.digest_info())
        }
        SigningMechanism::Sha256RsaPkcs => {
            session.sign(&mechanism.mechanism(), key, &message(input))
        }
    };
    signature.map_err(|error| CallError::new("C_Sign", &error))
}

/// The whole signing input, for a token that insists on hashing.
fn message(input: &SigningInput<'_>) -> Vec<u8> {
    let mut message = Message(Vec::with_capacity(input.len()));
    let Ok(()) = input.write_to(&mut message);
    message.0
}

struct Message(Vec<u8>);

impl Sink for Message {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
