//! Why a key cannot do what it was opened for.

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
    /// `CKA_DECRYPT` is false.
    MayNotDecrypt,
    /// Neither the private key nor a public key of the same `CKA_ID` shows modulus and exponent.
    NoPublicKey,
    /// The public key is not one that signs assertions (size, exponent).
    PublicKey(rsa::KeyError),
    /// No mechanism is offered by the token and allowed for the key.
    NoMechanism,
    /// `CKM_RSA_PKCS_OAEP` is not offered by the token, or not allowed for the key.
    NoOaep,
    /// `CKA_ALWAYS_AUTHENTICATE` is true: the token wants the PIN for every signature, and nobody is
    /// there to give it again.
    AlwaysAuthenticate,
    /// The modulus is smaller than the policy wants.
    TooSmall {
        /// Its size.
        bits: usize,
        /// What [`crate::KeyPolicy::min_bits`] says.
        min: usize,
    },
    /// `CKA_PRIVATE` is false.
    PublicObject,
    /// `CKA_SENSITIVE` is false.
    NotSensitive,
    /// `CKA_EXTRACTABLE` is true, and the policy refuses that.
    Extractable,
    /// The certificate with its `CKA_ID` is another key's.
    OtherCertificate,
    /// No certificate on the token is this key's, and the policy wants one.
    NoCertificate,
}

impl KeyError {
    /// In a list of keys.
    pub(crate) const fn short(self) -> &'static str {
        match self {
            Self::MayNotSign => "may not sign",
            Self::MayNotDecrypt => "may not decrypt",
            _ => "unfit",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRsa => f.write_str("is not an RSA key (RFC 7518 section 3.3: RS256)"),
            Self::MayNotSign => {
                f.write_str("may not sign (CKA_SIGN is false); generate one with usage sign")
            }
            Self::MayNotDecrypt => f.write_str(
                "may not decrypt (CKA_DECRYPT is false); generate one with usage decrypt",
            ),
            Self::NoPublicKey => f.write_str(
                "does not show CKA_MODULUS and CKA_PUBLIC_EXPONENT, and no public key with its CKA_ID \
                 does",
            ),
            Self::PublicKey(error) => write!(f, "{error}"),
            Self::NoMechanism => f.write_str(
                "can use neither CKM_RSA_PKCS nor CKM_SHA256_RSA_PKCS: the token's mechanism list or \
                 the key's CKA_ALLOWED_MECHANISMS lacks them",
            ),
            Self::NoOaep => f.write_str(
                "cannot use CKM_RSA_PKCS_OAEP: the token's mechanism list or the key's \
                 CKA_ALLOWED_MECHANISMS lacks it",
            ),
            Self::AlwaysAuthenticate => f.write_str(
                "wants the PIN for every use (CKA_ALWAYS_AUTHENTICATE): open it with a PIN \
                 provider of its own, or allow the PIN to be kept",
            ),
            Self::TooSmall { bits, min } => write!(
                f,
                "has {bits} bits, and the policy wants at least {min} (min_bits)"
            ),
            Self::PublicObject => f.write_str(
                "can be used without a login (CKA_PRIVATE is false); allow_public_object accepts that",
            ),
            Self::NotSensitive => f.write_str(
                "can be read in clear (CKA_SENSITIVE is false); generate one on the token \
                 (allow_not_sensitive accepts this one)",
            ),
            Self::Extractable => f.write_str(
                "can leave the token (CKA_EXTRACTABLE is true), which the policy refuses \
                 (refuse_extractable)",
            ),
            Self::OtherCertificate => f.write_str(
                "has the CKA_ID of a certificate that belongs to another key (its modulus differs); \
                 store the right one (allow_other_certificate accepts this one)",
            ),
            Self::NoCertificate => f.write_str(
                "has no certificate on the token, which the policy wants (require_certificate)",
            ),
        }
    }
}

impl std::error::Error for KeyError {}
