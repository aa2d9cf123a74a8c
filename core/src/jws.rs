//! A finished token.

use core::fmt;

/// A signed and verified JWS in compact serialization (RFC 7515 section 3.1), at most
/// [`crate::limits::MAX_COMPACT_JWS`] bytes. It exists whole or not at all.
///
/// It is a credential for as long as it lives (30 s, mostly): `Debug` shows its length only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CompactJws<'b>(&'b str);

impl<'b> CompactJws<'b> {
    /// `token` was written by the encoder: base64url and dots.
    pub(crate) fn from_ascii(token: &'b [u8]) -> Self {
        Self(core::str::from_utf8(token).unwrap_or(""))
    }

    /// The token's text.
    pub const fn as_str(self) -> &'b str {
        self.0
    }
}

impl fmt::Debug for CompactJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompactJws({} bytes)", self.0.len())
    }
}
