//! What is wrong with a JWE. Never what was in it.

use privyseal_core::KeyEncryption;

/// The largest JWE that is read, in bytes: room for a person's picture, encoded three times.
pub const MAX_JWE: usize = 256 * 1024;

/// What is wrong with a JWE.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JweFault {
    /// Not a compact JWE; what it has or lacks.
    #[error("{0} (RFC 7516 section 7.1)")]
    Form(&'static str),
    /// Longer than [`MAX_JWE`](crate::jose::jwe::MAX_JWE).
    #[error("has {len} bytes, at most {MAX_JWE} are read")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Its content key is encrypted in another way than RSA-OAEP or RSA-OAEP-256.
    #[error("has alg {0}; RSA-OAEP and RSA-OAEP-256 are accepted (RFC 8725 section 3.1)")]
    Alg(String),
    /// It cannot be decrypted, and its content key is encrypted in another way than was agreed on.
    #[error(
        "cannot be decrypted: it is encrypted with {}, although {} was registered (OpenID Connect Core section 3.1.3.7, \
         point 1)",
        found.name(),
        registered.name()
    )]
    OtherAlg {
        /// How it is.
        found: KeyEncryption,
        /// What was agreed on.
        registered: KeyEncryption,
    },
    /// Its content is encrypted in a way that RFC 7518 section 5.1 does not have.
    #[error("has enc {0}, which is none of RFC 7518 section 5.1")]
    Enc(String),
    /// Its header has extensions that must be understood.
    #[error("has a header with crit, extensions that must be understood (RFC 7516 section 4.1.13)")]
    Critical,
    /// Its content is compressed: the length then tells of what was encrypted.
    #[error("has a header with zip; compressed content is not accepted (RFC 8725 section 3.6)")]
    Compressed,
    /// It was encrypted to another key, or changed since. Which of the two is not said, nor known.
    #[error(
        "cannot be decrypted: it is for another key than the decryption key, or was changed (RFC \
         7516 section 5.2)"
    )]
    Undecipherable,
    /// It is not encrypted, and encryption was agreed on.
    #[error(
        "is not encrypted, although there is a decryption key (OpenID Connect Core section \
         3.1.3.7, point 1)"
    )]
    NotEncrypted,
    /// It is encrypted, and no key to decrypt it was given.
    #[error("is encrypted; give the key that it is encrypted to")]
    NoKey,
    /// The plaintext is not a compact JWS.
    #[error("has in it no compact JWS (OpenID Connect Core section 2: signed, then encrypted)")]
    NotNested,
}
