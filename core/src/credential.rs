//! Who signs, for which scheme, with which key: everything that stays the same from one assertion to the
//! next, checked once and encoded once.
//!
//! The header (with its certificate chain, 10 KB and more) is encoded into the caller's buffer and
//! hashed up to and including the dot. What is kept of the hash is SHA-256's midstate, so an assertion
//! costs a few blocks instead of 173.

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::cert::{Certificate, ChainError, KeyUsage, KeyUsages, ProvenChain, Validity};
use crate::claims::Claims;
use crate::encoding::base64::{Base64Sink, Base64UrlSink};
use crate::encoding::json::Object;
use crate::encoding::sink::{Overflow, Sink, SliceSink};
use crate::error::Error;
use crate::field::{Fault, Field, FieldError};
use crate::id::{Audience, ClientId, Jti};
use crate::limits::{CLOCK_FLOOR, MAX_BACKDATE_SECONDS, MAX_HEADER};
use crate::rsa::{RsaPublicKey, VerifyingKey};
use crate::scheme::{KeyReference, NotBefore, Scheme};
use crate::signing_input::SigningInput;
use crate::time::UnixTime;

/// A scheme, a client id, a proven chain and the public key of its leaf, which is the signer's.
///
/// `B` holds the encoded header: `&'static mut [u8]` on a device, `Vec<u8>` on a host; [`MAX_HEADER`]
/// bytes always suffice.
pub struct Credential<B> {
    scheme: &'static Scheme,
    client_id: ClientId,
    key: VerifyingKey,
    validity: Validity,
    header: B,
    header_len: usize,
    midstate: Sha256,
}

/// What differs from one assertion to the next.
#[derive(Clone, Copy, Debug)]
pub struct AssertionRequest<'a> {
    /// For whom; `None` for the scheme's default audience.
    pub audience: Option<Audience<'a>>,
    /// The caller's clock. The core reads none.
    pub now: UnixTime,
    /// Seconds by which `iat` is dated back, 0 to [`MAX_BACKDATE_SECONDS`], for receivers whose clock is
    /// behind.
    pub backdate: u64,
    /// A `jti` that was never used before.
    pub jti: Jti<'a>,
}

/// Why no assertion can be made at this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockError {
    /// The clock shows a time before this software was released: it was never set.
    Unset {
        /// What it shows.
        now: UnixTime,
    },
    /// A certificate is not valid yet; for a leaf that was just issued, the clock is slow.
    NotYetValid {
        /// What the clock shows.
        now: UnixTime,
        /// The first second of the certificate's validity.
        not_before: UnixTime,
        /// Which certificate; 0 is the leaf.
        position: usize,
    },
    /// A certificate has expired.
    Expired {
        /// What the clock shows.
        now: UnixTime,
        /// The last second of the certificate's validity.
        not_after: UnixTime,
        /// Which certificate; 0 is the leaf.
        position: usize,
    },
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset { now } => write!(
                f,
                "now is {now}, which is before this software was released: the clock was never set"
            ),
            Self::NotYetValid {
                now,
                not_before,
                position,
            } => write!(
                f,
                "now is {now}, but certificate {position} (0 is the leaf) is valid from {not_before} \
                 only: the clock is slow, or the certificate is for later (RFC 5280 section 4.1.2.5)"
            ),
            Self::Expired {
                now,
                not_after,
                position,
            } => write!(
                f,
                "now is {now}, but certificate {position} (0 is the leaf) expired at {not_after} \
                 (RFC 5280 section 4.1.2.5)"
            ),
        }
    }
}

impl core::error::Error for ClockError {}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Credential<B> {
    /// Checks that `chain` is one that `scheme` accepts and that its leaf is for `signer_key`, and
    /// encodes the header into `buffer`.
    pub fn new(
        scheme: &'static Scheme,
        client_id: ClientId,
        chain: &ProvenChain<'_>,
        signer_key: &RsaPublicKey,
        buffer: B,
    ) -> Result<Self, Error> {
        scheme.check_client_id(&client_id)?;
        check_chain(scheme, chain)?;
        let leaf = chain.leaf().ok_or(ChainError::Empty)?;
        let key = leaf
            .rsa_key()
            .map_err(|error| ChainError::Key { position: 0, error })?;
        if key != *signer_key {
            return Err(Error::KeyMismatch);
        }
        let mut header = buffer;
        let header_len = encode_header(chain, header.as_mut())?;
        let mut midstate = Sha256::new();
        midstate.update(header.as_ref().get(..header_len).unwrap_or(&[]));
        midstate.update(b".");
        Ok(Self {
            scheme,
            client_id,
            key: VerifyingKey::new(key)?,
            validity: chain.validity(),
            header,
            header_len,
            midstate,
        })
    }
}

impl<B: AsRef<[u8]>> Credential<B> {
    /// The scheme.
    pub const fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// Who signs.
    pub const fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The leaf's public key, which is the signer's.
    pub const fn public_key(&self) -> &RsaPublicKey {
        self.key.public_key()
    }

    /// When the chain's certificates are valid.
    pub const fn validity(&self) -> &Validity {
        &self.validity
    }

    /// The header as it will stand in every token: base64url, without the dot.
    pub fn header(&self) -> &[u8] {
        self.header.as_ref().get(..self.header_len).unwrap_or(&[])
    }

    /// Makes the claims under the scheme's rules and seals them: the first step of signing.
    pub fn prepare<'a>(
        &'a self,
        request: &AssertionRequest<'a>,
    ) -> Result<SigningInput<'a>, Error> {
        self.check_clock(request.now)?;
        let audience = self.scheme.audience(request.audience)?;
        let issued_at = backdated(request)?;
        let claims = Claims {
            client_id: &self.client_id,
            audience,
            issued_at,
            not_before: match self.scheme.not_before.value {
                NotBefore::EqualsIssuedAt => Some(issued_at),
                NotBefore::Absent => None,
            },
            expires_at: issued_at.saturating_add(self.scheme.lifetime.value.default),
            jti: request.jti,
        };
        Ok(SigningInput::seal(
            self.header(),
            self.midstate.clone(),
            &self.key,
            claims,
        ))
    }

    /// Whether an assertion may be made at this time.
    pub fn check_clock(&self, now: UnixTime) -> Result<(), ClockError> {
        let Validity {
            not_before,
            last_to_begin,
            not_after,
            first_to_end,
        } = self.validity;
        if now.as_secs() < CLOCK_FLOOR {
            return Err(ClockError::Unset { now });
        }
        if now < not_before {
            return Err(ClockError::NotYetValid {
                now,
                not_before,
                position: last_to_begin,
            });
        }
        if now > not_after {
            return Err(ClockError::Expired {
                now,
                not_after,
                position: first_to_end,
            });
        }
        Ok(())
    }
}

impl<B> fmt::Debug for Credential<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("scheme", &self.scheme.name)
            .field("client_id", &self.client_id.as_str())
            .field("key", self.key.public_key())
            .finish_non_exhaustive()
    }
}

fn backdated(request: &AssertionRequest<'_>) -> Result<UnixTime, FieldError> {
    if request.backdate > MAX_BACKDATE_SECONDS {
        let fault = Fault::OutOfRange {
            value: request.backdate,
            min: 0,
            max: MAX_BACKDATE_SECONDS,
        };
        let source = "seconds of clock difference that a receiver may be given";
        return Err(FieldError::new(Field::Backdate, fault, source));
    }
    Ok(request.now.saturating_sub(request.backdate))
}

/// What a scheme demands of a chain beyond its proof.
fn check_chain(scheme: &Scheme, chain: &ProvenChain<'_>) -> Result<(), ChainError> {
    match scheme.key_reference.value {
        KeyReference::X5cWithRoot if !chain.has_root() => return Err(ChainError::MissingRoot),
        KeyReference::X5cWithRoot => {}
    }
    // An absent extension allows every usage (RFC 5280 section 4.2.1.3), but an eSeal says what it is.
    let usages = chain
        .leaf()
        .and_then(Certificate::key_usages)
        .unwrap_or_default();
    check_leaf_usage(scheme, usages)
}

fn check_leaf_usage(scheme: &Scheme, usages: KeyUsages) -> Result<(), ChainError> {
    let rule = scheme.leaf_key_usage;
    if rule.value.is_empty() || rule.value.iter().any(|&usage| usages.has(usage)) {
        return Ok(());
    }
    let wanted = rule
        .value
        .first()
        .copied()
        .unwrap_or(KeyUsage::DigitalSignature);
    Err(ChainError::LeafKeyUsage {
        wanted,
        source: rule.source,
    })
}

/// Writes `{"alg":"RS256","typ":"JWT","x5c":[..]}` in base64url and gives its length.
fn encode_header(chain: &ProvenChain<'_>, buffer: &mut [u8]) -> Result<usize, FieldError> {
    let mut sink = SliceSink::new(buffer);
    // A failure is sticky: finish() reports it.
    let _ = write_header(chain, &mut sink);
    sink.finish()
        .map(<[u8]>::len)
        .map_err(|Overflow { capacity }| {
            let fault = Fault::TooLong {
                len: MAX_HEADER,
                max: capacity,
            };
            FieldError::new(Field::Header, fault, "the buffer given")
        })
}

fn write_header<S: Sink>(chain: &ProvenChain<'_>, sink: &mut S) -> Result<(), S::Error> {
    let mut encoder = Base64UrlSink::new(sink);
    Object::new(&mut encoder)
        .string("alg", "RS256")
        .string("typ", "JWT")
        .plain_strings("x5c", chain.certificates(), |sink, certificate| {
            let mut base64 = Base64Sink::new(sink);
            base64.write(certificate.as_der())?;
            base64.finish()
        })
        .finish()?;
    encoder.finish()
}
