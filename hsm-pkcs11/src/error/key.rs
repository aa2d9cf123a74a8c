//! Why a key cannot sign assertions.

use std::fmt;

use privyseal_core::rsa;

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// `CKA_KEY_TYPE` is not `CKK_RSA`.
    NotRsa,
    /// `CKA_SIGN` is false.
    MayNotSign,
    /// Neither the private key nor a public key of the same `CKA_ID` shows modulus and exponent.
    NoPublicKey,
    /// The public key is not one that signs assertions (size, exponent).
    PublicKey(rsa::KeyError),
    /// No mechanism is offered by the token and allowed for the key.
    NoMechanism,
    /// `CKA_ALWAYS_AUTHENTICATE` is true: the token wants the PIN for every signature.
    AlwaysAuthenticate,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRsa => f.write_str("is not an RSA key (RFC 7518 section 3.3: RS256)"),
            Self::MayNotSign => {
                f.write_str("may not sign (CKA_SIGN is false); generate one with usage sign")
            }
            Self::NoPublicKey => f.write_str(
                "does not show CKA_MODULUS and CKA_PUBLIC_EXPONENT, and no public key with its CKA_ID \
                 does",
            ),
            Self::PublicKey(error) => write!(f, "{error}"),
            Self::NoMechanism => f.write_str(
                "can use neither CKM_RSA_PKCS nor CKM_SHA256_RSA_PKCS: the token's mechanism list or \
                 the key's CKA_ALLOWED_MECHANISMS lacks them",
            ),
            Self::AlwaysAuthenticate => f.write_str(
                "wants the PIN for every signature (CKA_ALWAYS_AUTHENTICATE), which this version does \
                 not do yet",
            ),
        }
    }
}

impl std::error::Error for KeyError {}
