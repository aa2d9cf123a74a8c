//! Every maximum of the core, in one place, each with its source.
//!
//! All sizes are in bytes unless a name says otherwise. Derived sizes are computed here, so that
//! changing one line changes every buffer that depends on it. A buffer of exactly the maximum
//! works; one byte more is an error that names the field.

use crate::encoding::{base64_len, base64url_len};

/// Certificates in one `x5c` chain. The public iSHARE chain has 4; PKIoverheid has 4; cross-signed
/// chains reach 5 and 6.
pub const MAX_CERTIFICATES: usize = 6;

/// Extensions of one certificate. Qualified certificates have 10 to 12.
pub(crate) const MAX_EXTENSIONS: usize = 32;

/// DER bytes of all certificates of one chain. Four RSA-4096 certificates of the public iSHARE chain
/// are 6,003 bytes; 16 KiB leaves room for six of the largest qualified certificates.
pub const MAX_CHAIN_DER: usize = 16 * 1024;

/// `client_id`, `iss` and `sub`. Keycloak keeps client ids in a `VARCHAR(255)`; iSHARE party ids are
/// shorter than 64.
pub const MAX_CLIENT_ID: usize = 255;

/// `aud`: a party id or the URL of a realm or an endpoint.
pub const MAX_AUDIENCE: usize = 512;

/// `jti`. itsme: "at most 255 characters".
pub const MAX_JTI: usize = 255;

/// Decimal digits of a `NumericDate`, up to [`MAX_UNIX_TIME`].
pub(crate) const MAX_TIME_DIGITS: usize = 12;

/// The last second of the year 9999, UTC: the last moment X.509 and RFC 3339 can name.
pub const MAX_UNIX_TIME: u64 = 253_402_300_799;

/// A clock that shows less than this was never set: 2026-01-01T00:00:00Z, the year of this release.
/// It moves forward with releases and is a constant of the source, so that builds are reproducible.
pub const CLOCK_FLOOR: u64 = 1_767_225_600;

/// Seconds that `iat` may be dated back from `now`, so that a receiver whose clock is behind accepts
/// it. One iSHARE receiver tolerates no lead at all; 5 s is a sixth of the lifetime.
pub const MAX_BACKDATE_SECONDS: u64 = 5;

/// The largest RSA modulus, in bits. The public iSHARE chain has RSA-4096 CAs.
pub(crate) const MAX_RSA_BITS: usize = 4096;

/// An RSA modulus or signature: PKCS#1 makes them the same length.
pub const MAX_SIGNATURE: usize = MAX_RSA_BITS / 8;

/// The header as JSON: fixed members, then each certificate in padded base64, quoted, with a comma.
pub(crate) const MAX_HEADER_JSON: usize =
    64 + base64_len(MAX_CHAIN_DER) + MAX_CERTIFICATES * (PADDING_PER_CERTIFICATE + 3);

/// Base64 of pieces is longer than base64 of the whole by at most one group a piece.
const PADDING_PER_CERTIFICATE: usize = 4;

/// The header, base64url-encoded.
pub const MAX_HEADER: usize = base64url_len(MAX_HEADER_JSON);

/// `kid`. RFC 7638 and Keycloak's both have 43 characters; a chosen name may be longer.
pub const MAX_KID: usize = 128;

/// `scope` of an authentication request: ten values of itsme's list are 80 characters.
pub const MAX_SCOPE: usize = 512;

/// itsme's `user_identifier_token`, an opaque text.
pub const MAX_USER_IDENTIFIER_TOKEN: usize = 1024;

/// `client_notification_token`. itsme and CIBA Core section 7.1: at most 1024 characters.
pub const MAX_NOTIFICATION_TOKEN: usize = 1024;

/// `requested_expiry`: a day. Servers take less.
pub const MAX_REQUESTED_EXPIRY_SECONDS: u64 = 86_400;

/// Claims that an authentication request asks for by name, for the id_token and for UserInfo, each.
pub const MAX_CLAIM_NAMES: usize = 32;

/// The name of one such claim; itsme has names that are URLs.
pub const MAX_CLAIM_NAME: usize = 64;

/// The name of a scheme of a user's own, and its title for people.
pub const MAX_SCHEME_NAME: usize = 32;
/// As [`MAX_SCHEME_NAME`].
pub const MAX_SCHEME_TITLE: usize = 64;

/// Seconds from `iat` to `exp` under a scheme of a user's own: the longest that a built-in scheme allows. An assertion
/// that is stolen is good for as long.
pub const MAX_OWN_LIFETIME: u64 = 600;

/// The path of a token endpoint below its base URL.
pub const MAX_TOKEN_PATH: usize = 256;

/// Further members of a token request: `resource` (RFC 8707), `audience`, and what a server wants besides.
pub const MAX_FORM_MEMBERS: usize = 8;
/// The name of such a member.
pub const MAX_FORM_NAME: usize = 64;
/// Its value: a URL mostly.
pub const MAX_FORM_VALUE: usize = 512;

/// The claims of a client assertion as JSON. Printable ASCII grows at most twofold when escaped (`"` and
/// `\`), and `iss` and `sub` both hold the client id.
pub(crate) const MAX_ASSERTION_JSON: usize =
    64 + 3 * MAX_TIME_DIGITS + 2 * (2 * MAX_CLIENT_ID + MAX_AUDIENCE + MAX_JTI);

/// A `login_hint_token`: a compact JWS of its own, with a `kid` in its header.
pub(crate) const MAX_LOGIN_HINT_TOKEN: usize = base64url_len(64 + 2 * MAX_KID)
    + 1
    + base64url_len(64 + 2 * MAX_USER_IDENTIFIER_TOKEN)
    + 1
    + base64url_len(MAX_SIGNATURE);

/// The claims of a request object as JSON; each name of a claim stands there with `:null` and a comma.
pub(crate) const MAX_REQUEST_JSON: usize = 320
    + 4 * MAX_TIME_DIGITS
    + 2 * (MAX_CLIENT_ID + MAX_AUDIENCE + MAX_JTI + MAX_SCOPE)
    + MAX_NOTIFICATION_TOKEN
    + MAX_LOGIN_HINT_TOKEN
    + 2 * MAX_CLAIM_NAMES * (2 * MAX_CLAIM_NAME + 8);

/// `redirect_uri` of an authorization request.
pub const MAX_REDIRECT_URI: usize = 512;
/// `state` and `nonce` of one: 256 random bits take 43 characters.
pub const MAX_STATE: usize = 128;
/// `login_hint` of one: an address or a number.
pub const MAX_LOGIN_HINT: usize = 256;

/// The claims of an authorization request as JSON.
const MAX_AUTHORIZATION_JSON: usize = 320
    + 4 * MAX_TIME_DIGITS
    + 3 * MAX_STATE
    + 2 * (2 * MAX_CLIENT_ID + MAX_AUDIENCE + MAX_JTI + MAX_SCOPE)
    + 2 * (MAX_REDIRECT_URI + MAX_LOGIN_HINT);
const _: () = assert!(MAX_AUTHORIZATION_JSON <= MAX_REQUEST_JSON);

/// The payload, base64url-encoded: the longest of all kinds.
pub const MAX_PAYLOAD: usize = base64url_len(if MAX_REQUEST_JSON > MAX_ASSERTION_JSON {
    MAX_REQUEST_JSON
} else {
    MAX_ASSERTION_JSON
});

/// A whole compact JWS: three parts and two dots.
pub const MAX_COMPACT_JWS: usize = MAX_HEADER + 1 + MAX_PAYLOAD + 1 + base64url_len(MAX_SIGNATURE);

/// Attributes of the subject of a certification request: the six of an eSeal, and two more units.
pub const MAX_SUBJECT_ATTRIBUTES: usize = 8;

/// Characters of one such attribute's value (RFC 5280 appendix A.1: ub-common-name, ub-serial-number and
/// others). In UTF-8, each has up to 4 bytes.
pub const MAX_SUBJECT_VALUE: usize = 64;

/// A certification request, DER: modulus and signature, the subject (24 bytes around each value), and
/// what is the same for all.
pub const MAX_CERTIFICATION_REQUEST: usize =
    128 + 2 * MAX_SIGNATURE + MAX_SUBJECT_ATTRIBUTES * (4 * MAX_SUBJECT_VALUE + 24);

/// The body of a token response. Keycloak's access tokens grow with the roles they carry; nginx
/// passes on at most 32 KiB of headers by default, so no usable bearer token is longer.
pub const MAX_TOKEN_RESPONSE: usize = 64 * 1024;

/// `access_token` and `refresh_token`, each.
pub const MAX_ACCESS_TOKEN: usize = 32 * 1024;

/// Members of a header or a payload that is judged: itsme's longest request object has 14.
pub const MAX_JSON_MEMBERS: usize = 64;

/// What is decoded of one token that is judged: its parts, the strings in them that are escaped, and
/// what those are the base64 of; each is shorter than the token.
pub const MAX_CHECK_SCRATCH: usize = 3 * MAX_COMPACT_JWS;

/// Nested arrays and objects of a JSON text that is read. No response of any scheme nests deeper than 8;
/// the parser recurses, so an unbounded depth would be an unbounded stack.
pub const MAX_JSON_DEPTH: usize = 32;
