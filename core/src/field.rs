//! What is wrong with one value: the field, the value's shape, the rule and where the rule is from.

use core::fmt;
use thiserror::Error;

use crate::encoding::sink::{Overflow, SliceSink};

named! {
    /// Names a value that a caller, a certificate or a server gave.
    #[non_exhaustive]
    pub enum Field {
        /// `client_id`, and the `iss` and `sub` claims that equal it.
        ClientId = "client_id",
        /// The `aud` claim.
        Audience = "aud",
        /// The `jti` claim.
        Jti = "jti",
        /// The `kid` header member.
        Kid = "kid",
        /// `exp - iat`, in seconds.
        Lifetime = "lifetime",
        /// The realm in an audience.
        Realm = "realm",
        /// The base URL of an audience.
        BaseUrl = "base URL",
        /// `scope`.
        Scope = "scope",
        /// `login_hint_token`, and the user identifier token in it.
        LoginHintToken = "login_hint_token",
        /// `requested_expiry`, in seconds.
        RequestedExpiry = "requested_expiry",
        /// `client_notification_token`.
        NotificationToken = "client_notification_token",
        /// Names of requested claims.
        ClaimNames = "claims",
        /// The `iat` claim, as the caller's clock gives it.
        Now = "now",
        /// How far `iat` is dated back, in seconds.
        Backdate = "backdate",
        /// The `x5c` header member.
        X5c = "x5c",
        /// The JOSE header, encoded.
        Header = "header",
        /// The claims, encoded.
        Payload = "payload",
        /// The whole token.
        CompactJws = "compact JWS",
        /// The signature a signer gave.
        Signature = "signature",
        /// The subject of a certification request, or one of its attributes.
        Subject = "subject",
        /// The key usage that a certification request asks for.
        KeyUsage = "key usage",
        /// The name of a scheme.
        Scheme = "scheme",
        /// The name of a scheme for people.
        SchemeTitle = "title",
        /// The path of a token endpoint.
        TokenPath = "token endpoint",
        /// A further member of a token request.
        FormMember = "form member",
        /// The certificate whose digest names the key.
        X5tS256 = "x5t#S256",
        /// The whole certification request.
        CertificationRequest = "certification request",
        /// The form body of a token request.
        TokenRequest = "token request",
        /// The body of a token response.
        TokenResponse = "token response",
        /// The `access_token` of a response.
        AccessToken = "access_token",
        /// The `token_type` of a response.
        TokenType = "token_type",
        /// The `refresh_token` of a response.
        RefreshToken = "refresh_token",
        /// The `error` code of a refused request.
        ErrorCode = "error",
        /// Where a browser comes back to.
        RedirectUri = "redirect_uri",
        /// `state` of a login in a browser.
        State = "state",
        /// `nonce` of a login in a browser.
        Nonce = "nonce",
        /// `code_challenge` (RFC 7636).
        CodeChallenge = "code_challenge",
        /// `prompt` of a login in a browser.
        Prompt = "prompt",
        /// `login_hint` of a login in a browser.
        LoginHint = "login_hint",
    }
}

/// The shape of a value that was refused. The value itself is never in an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Required, and not there.
    #[error("is missing")]
    Missing,
    /// There, and empty.
    #[error("is empty")]
    Empty,
    /// Longer than the maximum; both in bytes (or in characters of a token that is judged, or in certificates).
    #[error("is {len} long, at most {max} allowed")]
    TooLong {
        /// The value's length; for a value that grew past a buffer, the least it would have been.
        len: usize,
        /// The maximum.
        max: usize,
    },
    /// A byte that may not stand in this field.
    #[error("has byte 0x{byte:02x} at position {position}, which is not allowed")]
    Character {
        /// Which byte, from 0.
        position: usize,
        /// The byte.
        byte: u8,
    },
    /// Not of the form it should have.
    #[error("is not {expected}")]
    Form {
        /// The form it should have.
        expected: &'static str,
    },
    /// A number outside its range.
    #[error("is {value}, allowed are {min} to {max}")]
    OutOfRange {
        /// The number.
        value: u64,
        /// The least allowed.
        min: u64,
        /// The greatest allowed.
        max: u64,
    },
}

/// A value was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// Which value.
    pub field: Field,
    /// What is wrong with it.
    pub fault: Fault,
    /// The rule's source.
    pub source: &'static str,
}

impl FieldError {
    /// `field` has `fault`, which the rule in `source` forbids.
    pub const fn new(field: Field, fault: Fault, source: &'static str) -> Self {
        Self {
            field,
            fault,
            source,
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.field, self.fault, self.source)
    }
}

impl core::error::Error for FieldError {}

impl Field {
    /// The error of a value that is not of its form.
    pub(crate) const fn is_not(self, expected: &'static str, source: &'static str) -> FieldError {
        FieldError::new(self, Fault::Form { expected }, source)
    }

    /// The error of a value that is too long.
    pub(crate) const fn is_too_long(
        self,
        len: usize,
        max: usize,
        source: &'static str,
    ) -> FieldError {
        FieldError::new(self, Fault::TooLong { len, max }, source)
    }

    /// What `write` writes into a caller's buffer, whole or not at all. `len` says how long it is, for the
    /// error.
    pub(crate) fn fill<'b>(
        self,
        buffer: &'b mut [u8],
        len: impl FnOnce() -> usize,
        write: impl FnOnce(&mut SliceSink<'b>) -> Result<(), Overflow>,
    ) -> Result<&'b [u8], FieldError> {
        let mut sink = SliceSink::new(buffer);
        // A failure is sticky: finish() reports it.
        let _ = write(&mut sink);
        sink.finish()
            .map_err(|Overflow { capacity }| self.is_too_long(len(), capacity, "the buffer given"))
    }
}

/// Checks that a number is in its range.
pub(crate) const fn check_range(
    field: Field,
    value: u64,
    (min, max): (u64, u64),
    source: &'static str,
) -> Result<(), FieldError> {
    if min <= value && value <= max {
        return Ok(());
    }
    let fault = Fault::OutOfRange { value, min, max };
    Err(FieldError::new(field, fault, source))
}

/// Checks the length of a text and every byte of it.
pub(crate) fn check_text(
    field: Field,
    text: &str,
    max: usize,
    allowed: impl Fn(u8) -> bool,
    source: &'static str,
) -> Result<(), FieldError> {
    check_len(field, text.len(), max, source)?;
    check_bytes(field, text, allowed, source)
}

/// The values in a text with this ASCII character between them. Not by a search for it, which can panic as far as the
/// compiler sees: a device links no panic.
pub(crate) fn values(text: &str, between: u8) -> impl Iterator<Item = &str> + Clone {
    let values = text.as_bytes().split(move |&byte| byte == between);
    // What lies between two ASCII characters of a text is text.
    values.map(|value| core::str::from_utf8(value).unwrap_or_default())
}

/// Printable ASCII without the space: what identifiers are made of.
pub(crate) const fn is_graphic(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

/// RFC 6750 section 2.1: b64token.
pub(crate) const fn is_b64token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

/// Checks the length of a text field.
pub(crate) const fn check_len(
    field: Field,
    len: usize,
    max: usize,
    source: &'static str,
) -> Result<(), FieldError> {
    match len {
        0 => Err(FieldError::new(field, Fault::Empty, source)),
        len if len > max => Err(field.is_too_long(len, max, source)),
        _ => Ok(()),
    }
}

/// Checks that every byte of a text field is one that `allowed` accepts.
fn check_bytes(
    field: Field,
    text: &str,
    allowed: impl Fn(u8) -> bool,
    source: &'static str,
) -> Result<(), FieldError> {
    // Almost every text is fine, and looking at all of its bytes is faster than stopping at the first.
    if text.bytes().fold(true, |fine, byte| fine & allowed(byte)) {
        return Ok(());
    }
    match text.bytes().enumerate().find(|&(_, byte)| !allowed(byte)) {
        Some((position, byte)) => Err(FieldError::new(
            field,
            Fault::Character { position, byte },
            source,
        )),
        None => Ok(()),
    }
}
