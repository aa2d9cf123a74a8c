//! The only thing that reaches a private key.
//!
//! A [`SigningInput`] is the JWS signing input of RFC 7515 section 5.1 (header, dot, payload, both in
//! base64url) and its SHA-256 digest. It has no public constructor: [`crate::Credential::prepare`]
//! and its siblings make it, from a typed statement that obeys the credential's scheme. Whoever holds one
//! may hand its digest to another process or machine (the middle step of sans-IO use) and bring the
//! signature back to [`SigningInput::attach`], which verifies it.
//!
//! It keeps the encoding of an assertion's short payload, as nearly all are. A longer one is encoded once into
//! the hash and once more on the way out, so that no device needs a buffer for the longest.

use heapless::Vec;
use sha2::{Digest as _, Sha256};

use crate::encoding::base64::Base64UrlSink;
use crate::encoding::base64url_len;
use crate::encoding::sink::{Counter, Overflow, Sink, SliceSink, Stopped, always, erased};
use crate::error::{AttachError, Error};
use crate::field::{Fault, Field, FieldError};
use crate::jws::CompactJws;
use crate::rsa::digest::sha256_digest_info;
use crate::rsa::{Digest, SignatureError, VerifyingKey};
use crate::statement::{Claims, Statement};

/// Bytes of an encoded payload that is kept: those of most client assertions are about 300.
const KEPT_PAYLOAD: usize = 384;

/// A complete JWS that lacks only its signature.
#[derive(Debug)]
pub struct SigningInput<'a> {
    header: &'a [u8],
    statement: Statement<'a>,
    /// The encoded payload, if it is short enough to be kept; otherwise empty, which no payload is.
    payload: Vec<u8, KEPT_PAYLOAD>,
    key: &'a VerifyingKey,
    digest: [u8; 32],
}

impl<'a> SigningInput<'a> {
    /// Seals `statement` under `header` (base64url, without the dot). `midstate` has hashed the header
    /// and the dot already.
    #[inline]
    pub(crate) fn seal(
        header: &'a [u8],
        mut midstate: Sha256,
        key: &'a VerifyingKey,
        statement: Statement<'a>,
    ) -> Self {
        // Written in place: moving a payload costs as much as encoding a claim.
        let mut input = Self {
            header,
            statement,
            payload: Vec::new(),
            key,
            digest: [0; 32],
        };
        let kept = match &input.statement {
            Statement::Assertion(claims) => keep_payload(claims, &mut input.payload).is_ok(),
            // With a token in it, it is longer.
            Statement::Request(_) | Statement::LoginHint(_) => false,
        };
        if kept {
            midstate.update(&input.payload);
        } else {
            input.payload.clear();
            always(write_payload(&input.statement, &mut midstate));
        }
        input.digest = midstate.finalize().into();
        input
    }

    /// What is signed.
    pub const fn statement(&self) -> &Statement<'a> {
        &self.statement
    }

    /// SHA-256 of the signing input.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The `DigestInfo` of the digest: the 51 bytes that `CKM_RSA_PKCS` and smartcards sign (RFC 8017
    /// section 9.2).
    pub fn digest_info(&self) -> [u8; 51] {
        sha256_digest_info(&self.digest)
    }

    /// Bytes of the signing input.
    pub fn len(&self) -> usize {
        let mut counter = Counter::default();
        always(self.write_to(&mut counter));
        counter.0
    }

    /// A signing input has a header: it is never empty.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Writes the signing input itself: for hardware that insists on hashing.
    pub fn write_to<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        sink.write(self.header)?;
        sink.write(b".")?;
        if self.payload.is_empty() {
            write_payload(&self.statement, sink)
        } else {
            sink.write(&self.payload)
        }
    }

    /// Attaches a signature that was made elsewhere: verifies it with the leaf's public key, then puts
    /// the token into `buffer`. On any error `buffer` holds nothing of a token.
    pub fn attach<'b>(
        &self,
        signature: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<CompactJws<'b>, Error> {
        self.verify(signature)?;
        let capacity = buffer.len();
        let mut sink = SliceSink::new(buffer);
        // A failure is sticky: finish() reports it.
        let _ = self.write_signed(signature, &mut sink);
        let token = sink.finish().map_err(|_| {
            let fault = Fault::TooLong {
                len: self.token_len(),
                max: capacity,
            };
            FieldError::new(Field::CompactJws, fault, "the buffer given")
        })?;
        Ok(CompactJws::new(token))
    }

    /// As [`SigningInput::attach`], but streams the token into `sink`: nothing is written before the
    /// signature has been verified. If the sink itself fails midway, the error says so and the
    /// receiver of the stream must discard what came; [`SigningInput::token_len`] tells it how much to
    /// expect.
    pub fn attach_to<S: Sink>(
        &self,
        signature: &[u8],
        sink: &mut S,
    ) -> Result<(), AttachError<S::Error>> {
        self.verify(signature)
            .map_err(|error| AttachError::Token(error.into()))?;
        self.write_signed(signature, sink)
            .map_err(AttachError::Sink)
    }

    /// Bytes of the finished token.
    pub fn token_len(&self) -> usize {
        let signature = base64url_len(self.key.public_key().size());
        self.len().saturating_add(1).saturating_add(signature)
    }

    fn verify(&self, signature: &[u8]) -> Result<(), SignatureError> {
        self.key.verify(&Digest::Sha256(self.digest), signature)
    }

    fn write_signed<S: Sink>(&self, signature: &[u8], sink: &mut S) -> Result<(), S::Error> {
        self.write_to(sink)?;
        sink.write(b".")?;
        let mut encoder = Base64UrlSink::new(sink);
        encoder.write(signature)?;
        encoder.finish()
    }
}

/// The payload of an assertion, base64url-encoded: what nearly every signature waits for.
#[inline]
fn keep_payload(claims: &Claims<'_>, payload: &mut Vec<u8, KEPT_PAYLOAD>) -> Result<(), Overflow> {
    let mut encoder = Base64UrlSink::new(payload);
    claims.write_json(&mut encoder)?;
    encoder.finish()
}

/// Any payload, base64url-encoded, into any sink.
fn write_payload<S: Sink>(statement: &Statement<'_>, sink: &mut S) -> Result<(), S::Error> {
    erased(sink, |sink| write_any_payload(statement, sink))
}

/// Not generic, so that there is one of it: it is large, and its speed does not matter.
#[inline(never)]
fn write_any_payload(
    statement: &Statement<'_>,
    sink: &mut dyn Sink<Error = Stopped>,
) -> Result<(), Stopped> {
    let mut encoder = Base64UrlSink::new(sink);
    statement.write_json(&mut encoder)?;
    encoder.finish()
}
