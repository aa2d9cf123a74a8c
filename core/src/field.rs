//! What is wrong with one value: the field, the value's shape, the rule and where the rule is from.

use core::fmt;
use thiserror::Error;

/// Names a value that a caller, a certificate or a server gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// `client_id`, and the `iss` and `sub` claims that equal it.
    ClientId,
    /// The `aud` claim.
    Audience,
    /// The `jti` claim.
    Jti,
    /// The `kid` header member.
    Kid,
    /// `exp - iat`, in seconds.
    Lifetime,
    /// The realm in an audience.
    Realm,
    /// The base URL of an audience.
    BaseUrl,
    /// `scope`.
    Scope,
    /// `login_hint_token`, and the user identifier token in it.
    LoginHintToken,
    /// `requested_expiry`, in seconds.
    RequestedExpiry,
    /// `client_notification_token`.
    NotificationToken,
    /// Names of requested claims.
    ClaimNames,
    /// The `iat` claim, as the caller's clock gives it.
    Now,
    /// How far `iat` is dated back, in seconds.
    Backdate,
    /// The `x5c` header member.
    X5c,
    /// The JOSE header, encoded.
    Header,
    /// The claims, encoded.
    Payload,
    /// The whole token.
    CompactJws,
    /// The signature a signer gave.
    Signature,
    /// The subject of a certification request, or one of its attributes.
    Subject,
    /// The key usage that a certification request asks for.
    KeyUsage,
    /// The whole certification request.
    CertificationRequest,
    /// The form body of a token request.
    TokenRequest,
    /// The body of a token response.
    TokenResponse,
    /// The `access_token` of a response.
    AccessToken,
    /// The `token_type` of a response.
    TokenType,
    /// The `refresh_token` of a response.
    RefreshToken,
    /// The `error` code of a refused request.
    ErrorCode,
}

impl Field {
    /// The name as the specifications spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientId => "client_id",
            Self::Audience => "aud",
            Self::Jti => "jti",
            Self::Kid => "kid",
            Self::Lifetime => "lifetime",
            Self::Realm => "realm",
            Self::BaseUrl => "base URL",
            Self::Scope => "scope",
            Self::LoginHintToken => "login_hint_token",
            Self::RequestedExpiry => "requested_expiry",
            Self::NotificationToken => "client_notification_token",
            Self::ClaimNames => "claims",
            Self::Now => "now",
            Self::Backdate => "backdate",
            Self::X5c => "x5c",
            Self::Header => "header",
            Self::Payload => "payload",
            Self::CompactJws => "compact JWS",
            Self::Signature => "signature",
            Self::Subject => "subject",
            Self::KeyUsage => "key usage",
            Self::CertificationRequest => "certification request",
            Self::TokenRequest => "token request",
            Self::TokenResponse => "token response",
            Self::AccessToken => "access_token",
            Self::TokenType => "token_type",
            Self::RefreshToken => "refresh_token",
            Self::ErrorCode => "error",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
    /// Longer than the maximum; both in bytes (or in certificates, for a count of them).
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

/// Checks the length of a text field.
pub(crate) const fn check_len(
    field: Field,
    len: usize,
    max: usize,
    source: &'static str,
) -> Result<(), FieldError> {
    match len {
        0 => Err(FieldError::new(field, Fault::Empty, source)),
        len if len > max => Err(FieldError::new(field, Fault::TooLong { len, max }, source)),
        _ => Ok(()),
    }
}

/// Checks that every byte of a text field is one that `allowed` accepts.
pub(crate) fn check_bytes(
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
