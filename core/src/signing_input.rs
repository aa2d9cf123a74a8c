//! The only thing that reaches a private key.
//!
//! A [`SigningInput`] is the JWS signing input of RFC 7515 section 5.1 (header, dot, payload, both in
//! base64url) and its SHA-256 digest. It has no public constructor: [`crate::Credential::prepare`]
//! and its siblings make it, from a typed payload that obeys the credential's scheme. Its holder
//! may hand its digest to another process or machine (the middle step of sans-IO use) and bring the
//! signature back to [`SigningInput::attach`], which verifies it.
//!
//! It keeps the encoding of an assertion's short payload, as nearly all are. A longer one is encoded once into
//! the hash and again on the way out, so that no device needs a buffer for the longest.

use heapless::Vec;
use sha2::{Digest as _, Sha256};

use crate::encoding::base64::Base64UrlSink;
use crate::encoding::base64url_len;
use crate::encoding::sink::{Overflow, Sink, Stopped, count, into_ok, with_dyn};
use crate::error::{AttachError, Error};
use crate::field::Field;
use crate::jws::CompactJws;
use crate::payload::{Claims, Payload};
use crate::rsa::digest::sha256_digest_info;
use crate::rsa::{Digest, SignatureError, VerifyingKey};

/// Bytes of an encoded payload that is kept: those of most client assertions are about 300.
const KEPT_PAYLOAD: usize = 384;

/// A complete JWS that lacks only its signature.
#[derive(Debug)]
pub struct SigningInput<'a> {
    header: &'a [u8],
    payload: Payload<'a>,
    /// The encoded payload, if it is short enough to be kept; otherwise empty, which no payload is.
    encoded: Vec<u8, KEPT_PAYLOAD>,
    key: &'a VerifyingKey,
    digest: [u8; 32],
}

impl<'a> SigningInput<'a> {
    /// Seals `payload` under `header` (base64url, without the dot). `midstate` has hashed the header
    /// and the dot already.
    #[inline]
    pub(crate) fn seal(
        header: &'a [u8],
        mut midstate: Sha256,
        key: &'a VerifyingKey,
        payload: Payload<'a>,
    ) -> Self {
        // Written in place: moving a payload costs as much as encoding a claim.
        let mut input = Self {
            header,
            payload,
            encoded: Vec::new(),
            key,
            digest: [0; 32],
        };
        let kept = match &input.payload {
            Payload::Assertion(claims) => keep_payload(claims, &mut input.encoded).is_ok(),
            // These carry more than an assertion, so they never fit.
            Payload::Request(_) | Payload::Authorization(_) | Payload::LoginHint(_) => false,
        };
        if kept {
            midstate.update(&input.encoded);
        } else {
            input.encoded.clear();
            into_ok(write_payload(&input.payload, &mut midstate));
        }
        input.digest = midstate.finalize().into();
        input
    }

    /// What is signed.
    pub const fn payload(&self) -> &Payload<'a> {
        &self.payload
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
        count(|counter| self.write_to(counter))
    }

    /// A signing input has a header: it is never empty.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Writes the signing input itself: for hardware that insists on hashing.
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn write_to<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        sink.write(self.header)?;
        sink.write(b".")?;
        if self.encoded.is_empty() {
            write_payload(&self.payload, sink)
        } else {
            sink.write(&self.encoded)
        }
    }

    /// Attaches a signature that was made elsewhere: verifies it with the leaf's public key, then puts
    /// the token into `buffer`. On any error `buffer` holds nothing of a token.
    ///
    /// # Errors
    /// [`Error::Signature`] for a wrong signature; [`Error::Field`] for a buffer that is too short.
    pub fn attach<'b>(
        &self,
        signature: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<CompactJws<'b>, Error> {
        self.verify(signature)?;
        let write = |sink: &mut _| self.write_signed(signature, sink);
        let token = Field::CompactJws.fill(buffer, || self.token_len(), write)?;
        Ok(CompactJws::new(token))
    }

    /// As [`SigningInput::attach`], but streams the token into `sink`: nothing is written before the
    /// signature has been verified. If the sink itself fails midway, the error says so and the
    /// receiver of the stream must discard what came; [`SigningInput::token_len`] tells it how much to
    /// expect.
    ///
    /// # Errors
    /// [`AttachError::Token`] before the first byte, [`AttachError::Sink`] after it.
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
fn write_payload<S: Sink>(payload: &Payload<'_>, sink: &mut S) -> Result<(), S::Error> {
    with_dyn(sink, |sink| write_any_payload(payload, sink))
}

/// Not generic, so that there is one of it: it is large, and its speed does not matter.
#[inline(never)]
fn write_any_payload(
    payload: &Payload<'_>,
    sink: &mut dyn Sink<Error = Stopped>,
) -> Result<(), Stopped> {
    let mut encoder = Base64UrlSink::new(sink);
    payload.write_json(&mut encoder)?;
    encoder.finish()
}
