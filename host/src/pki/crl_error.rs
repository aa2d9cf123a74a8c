//! Why a revocation list cannot be used; readers of files say it, too.

/// Why a list cannot be used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// Not the DER of a list.
    #[error("the CRL is no DER revocation list (RFC 5280 section 5.1)")]
    Malformed,
    /// A critical extension that is not processed here (RFC 5280 section 5.2).
    #[error(
        "the CRL has a critical extension that is not processed here (RFC 5280 sections 5.2 and 5.3)"
    )]
    CriticalExtension,
}
