//! What can be known about the revocation of a certificate: three values.

use privyseal_core::UnixTime;

/// What is known about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// It was not revoked at that moment.
    Good {
        /// When the list was issued.
        this_update: UnixTime,
    },
    /// It was revoked.
    Revoked {
        /// When.
        since: UnixTime,
    },
    /// Nothing that was given tells.
    Unknown(Unknown),
}

/// Why nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unknown {
    /// No list is about it: by issuer, kind of certificate and distribution point (RFC 5280 section 6.3.3 (b)).
    #[error("no CRL that was given covers it (RFC 5280 section 6.3.3)")]
    NotCovered,
    /// The lists that are about it are about other reasons.
    #[error("the CRLs that were given cover some reasons only (RFC 5280 section 5.2.5)")]
    SomeReasons,
    /// The list is of nobody who may issue it, or not signed by its issuer's key.
    #[error(
        "its CRL or OCSP response was not signed by a key that may sign it (RFC 5280 section 6.3.3, RFC 6960 section 4.2.2.2)"
    )]
    Signature,
    /// No OCSP responder, and no place of lists, gave something that can be read.
    #[error("no OCSP response came that can be read (RFC 6960)")]
    Responder,
    /// The OCSP response is to another request.
    #[error("its OCSP response has the nonce of another request (RFC 6960 section 4.4.1)")]
    Replayed,
    /// The list is from the future.
    #[error(
        "its CRL or OCSP response is of {this_update}, which is later than now (RFC 5280 section 5.1.2.4)"
    )]
    NotYetValid {
        /// When it was issued.
        this_update: UnixTime,
    },
    /// A newer one should have come out.
    #[error(
        "its CRL or OCSP response is out of date: the next one was due at {next_update} (RFC 5280 section 5.1.2.5)"
    )]
    Stale {
        /// When.
        next_update: UnixTime,
    },
}
