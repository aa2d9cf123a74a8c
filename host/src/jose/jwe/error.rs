//! Why a JWE cannot be read. Never what was in it.

use core::fmt;

use super::compact::MAX_JWE;

/// Why a text is no JWE for us.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JweError {
    /// Not a compact JWE; what it has or lacks.
    Form(&'static str),
    /// Longer than [`MAX_JWE`].
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Its content key is encrypted in another way than RSA-OAEP or RSA-OAEP-256.
    Alg(String),
    /// Its content is encrypted in another way than A128CBC-HS256 or A256GCM.
    Enc(String),
    /// Its header has extensions that must be understood (RFC 7516 section 4.1.13).
    Critical,
    /// Its content is compressed: the length then tells of what was encrypted (RFC 8725 section 3.6).
    Compressed,
    /// It was encrypted to another key, or changed since. Which of the two is not said, nor known.
    Undecipherable,
    /// It is not encrypted, and encryption was agreed on.
    NotEncrypted,
    /// It is encrypted, and no key to decrypt it was given.
    NoKey,
    /// The plaintext is not a compact JWS (OpenID Connect Core section 2: signed, then encrypted).
    NotNested,
}

impl fmt::Display for JweError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(what) => write!(f, "{what} (RFC 7516 section 7.1)"),
            Self::TooLong { len } => write!(f, "has {len} bytes, at most {MAX_JWE} are read"),
            Self::Alg(name) => write!(
                f,
                "has alg {name}; RSA-OAEP and RSA-OAEP-256 are accepted (RFC 8725 section 3.1)"
            ),
            Self::Enc(name) => write!(
                f,
                "has enc {name}; A128CBC-HS256 and A256GCM are accepted (RFC 8725 section 3.1)"
            ),
            Self::Critical => f.write_str(
                "has a header with crit, extensions that must be understood (RFC 7516 section \
                 4.1.13)",
            ),
            Self::Compressed => f.write_str(
                "has a header with zip; compressed content is not accepted (RFC 8725 section 3.6)",
            ),
            Self::Undecipherable => f.write_str(
                "cannot be decrypted: it is for another key than --decryption-key, or was changed \
                 (RFC 7516 section 5.2)",
            ),
            Self::NotEncrypted => f.write_str(
                "is not encrypted, although --decryption-key is given (OpenID Connect Core section \
                 3.1.3.7, point 1)",
            ),
            Self::NoKey => f.write_str(
                "is encrypted; give the key that it is encrypted to with --decryption-key",
            ),
            Self::NotNested => f.write_str(
                "has in it no compact JWS (OpenID Connect Core section 2: signed, then encrypted)",
            ),
        }
    }
}

impl core::error::Error for JweError {}
