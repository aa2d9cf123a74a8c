//! What a key signed, on its way out.

use core::fmt;

use privyseal_core::CompactJws;
use zeroize::Zeroizing;

/// A client assertion, or a signed authentication request: a JWS in compact serialization (RFC 7515 section
/// 3.1) that the core made and verified.
///
/// It is a credential for as long as it lives (30 s, mostly): it is wiped when dropped, and `Debug` shows its
/// length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion(Zeroizing<String>);

impl Assertion {
    /// The token's text. Not for logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<CompactJws<'_>> for Assertion {
    fn from(token: CompactJws<'_>) -> Self {
        Self(Zeroizing::new(token.as_str().to_owned()))
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assertion({} bytes)", self.0.len())
    }
}
