//! A finished token, and the algorithms that sign one.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::rsa::Digest;

named! {
    /// A value of the `alg` header member that a scheme may accept (RFC 7518 section 3.3). What is made
    /// here is always [`Algorithm::Rs256`].
    #[allow(clippy::exhaustive_enums, reason = "verifiers handle each")]
    pub enum Algorithm {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        Rs384 = "RS384",
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        Rs512 = "RS512",
    }
}

impl Algorithm {
    /// The digest of `message` that it signs.
    pub fn digest(self, message: &[u8]) -> Digest {
        match self {
            Self::Rs256 => Digest::Sha256(Sha256::digest(message).into()),
            Self::Rs384 => Digest::Sha384(Sha384::digest(message).into()),
            Self::Rs512 => Digest::Sha512(Sha512::digest(message).into()),
        }
    }
}

/// The three parts of a compact JWS (RFC 7515 section 7.1), as they stand in it. Nothing is known about them.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwsParts<'t> {
    /// What was signed: header and payload, with the dot between them.
    pub signing_input: &'t str,
    /// The header, in base64url.
    pub header: &'t str,
    /// The payload, in base64url.
    pub payload: &'t str,
    /// The signature, in base64url.
    pub signature: &'t str,
}

impl<'t> JwsParts<'t> {
    /// Splits at the dots, of which there must be two.
    pub fn split(token: &'t str) -> Option<Self> {
        let (signing_input, signature) = token.rsplit_once('.')?;
        let (header, payload) = signing_input.split_once('.')?;
        (!payload.contains('.')).then_some(Self {
            signing_input,
            header,
            payload,
            signature,
        })
    }

    /// The length of the whole token.
    pub const fn token_len(&self) -> usize {
        self.signing_input
            .len()
            .saturating_add(1)
            .saturating_add(self.signature.len())
    }
}

opaque_debug! { [] JwsParts<'_>; }

/// A signed and verified JWS in compact serialization (RFC 7515 section 3.1), at most
/// [`crate::limits::MAX_COMPACT_JWS`] bytes. It exists whole or not at all.
///
/// It is a credential for as long as it lives (30 s, mostly): `Debug` shows its length only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CompactJws<'b>(&'b [u8]);

impl<'b> CompactJws<'b> {
    /// `token` was written by the encoder: base64url and dots.
    pub(crate) const fn new(token: &'b [u8]) -> Self {
        Self(token)
    }

    /// The token as bytes, all of them ASCII.
    pub const fn as_bytes(self) -> &'b [u8] {
        self.0
    }

    /// The token's text.
    pub const fn as_str(self) -> &'b str {
        match core::str::from_utf8(self.0) {
            Ok(text) => text,
            // The encoder writes nothing but ASCII.
            Err(_) => "",
        }
    }
}

opaque_debug! { [] CompactJws<'_> as it: len = it.0.len(); }

#[cfg(test)]
mod tests {
    use super::JwsParts;

    #[test]
    fn three_parts_and_no_other_number() {
        let parts = JwsParts::split("a.b.c").unwrap();
        assert_eq!(
            [parts.header, parts.payload, parts.signature],
            ["a", "b", "c"]
        );
        assert_eq!(parts.signing_input, "a.b");
        let empty = JwsParts::split("..").unwrap();
        assert_eq!([empty.header, empty.payload, empty.signature], [""; 3]);
        for text in ["", "a", "a.b", "a.b.c.d", "a..b.c", "...", "a.b.c."] {
            assert!(JwsParts::split(text).is_none(), "{text}");
        }
    }
}
