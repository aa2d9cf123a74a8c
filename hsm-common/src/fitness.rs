//! Which keys are fit: the reasons that every backend gives, and the policy.

use privyseal_core::rsa;
use thiserror::Error;

/// Why a key cannot be used. The message is what follows the key's name: `key 7 is not an RSA key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyUnfit {
    /// It is no RSA key (`CKA_KEY_TYPE`, or the algorithm that a YubiHSM names).
    #[error("is not an RSA key (RFC 7518 section 3.3: RS256)")]
    NotRsa,
    /// `CKA_SIGN` is false.
    #[error("may not sign (CKA_SIGN is false)")]
    MayNotSign,
    /// `CKA_DECRYPT` is false.
    #[error("may not decrypt (CKA_DECRYPT is false)")]
    MayNotDecrypt,
    /// A key of a YubiHSM lacks the capability `sign-pkcs`.
    #[error(
        "may not sign: it lacks the capability sign-pkcs, and capabilities cannot be added later"
    )]
    NoSignCapability,
    /// A key of a YubiHSM lacks the capability `decrypt-oaep`.
    #[error(
        "may not decrypt: it lacks the capability decrypt-oaep, and capabilities cannot be added later"
    )]
    NoDecryptCapability,
    /// The authentication key of the session lacks the capability `sign-pkcs`.
    #[error("may not be used: authentication key {auth_key} lacks the capability sign-pkcs")]
    SessionMayNotSign {
        /// The authentication key.
        auth_key: u16,
    },
    /// Neither the private key nor a public key of the same `CKA_ID` shows modulus and exponent.
    #[error(
        "does not show CKA_MODULUS and CKA_PUBLIC_EXPONENT, and no public key with its CKA_ID does"
    )]
    NoPublicKey,
    /// The public key is not one that signs assertions (size, exponent).
    #[error("{0}")]
    PublicKey(rsa::KeyError),
    /// No mechanism that signs is offered by the token and allowed for the key.
    #[error(
        "can use neither CKM_RSA_PKCS nor CKM_SHA256_RSA_PKCS: the token's mechanism list or the \
         key's CKA_ALLOWED_MECHANISMS lacks them"
    )]
    NoMechanism,
    /// `CKM_RSA_PKCS_OAEP` is not offered by the token, or not allowed for the key.
    #[error(
        "cannot use CKM_RSA_PKCS_OAEP: the token's mechanism list or the key's \
         CKA_ALLOWED_MECHANISMS lacks it"
    )]
    NoOaep,
    /// `CKA_ALWAYS_AUTHENTICATE` is true: the token wants the PIN for every use, and nobody is there to
    /// give it again.
    #[error(
        "wants the PIN for every use (CKA_ALWAYS_AUTHENTICATE), and neither a provider of PINs stays \
         with the key nor may the PIN be kept"
    )]
    AlwaysAuthenticate,
    /// The modulus is smaller than [`KeyPolicy::min_bits`].
    #[error("has {bits} bits, and the policy wants at least {min} (min_bits)")]
    TooSmall {
        /// The modulus, in bits.
        bits: usize,
        /// What the policy wants.
        min: usize,
    },
    /// `CKA_PRIVATE` is false, and the policy refuses that.
    #[error(
        "can be used without a login (CKA_PRIVATE is false), which the policy refuses (allow_public_object)"
    )]
    PublicObject,
    /// `CKA_SENSITIVE` is false, and the policy refuses that.
    #[error(
        "can be read in clear (CKA_SENSITIVE is false), which the policy refuses (allow_not_sensitive)"
    )]
    NotSensitive,
    /// It can leave the token, and the policy refuses that.
    #[error(
        "can leave the token (CKA_EXTRACTABLE is true, or exportable-under-wrap), which the policy refuses \
         (refuse_extractable)"
    )]
    Extractable,
    /// The certificate with its `CKA_ID` is another key's, and the policy refuses that.
    #[error(
        "has the CKA_ID of a certificate that belongs to another key (its modulus differs), which the \
         policy refuses (allow_other_certificate)"
    )]
    OtherCertificate,
    /// No certificate beside it is this key's, and the policy wants one.
    #[error("has no certificate on the token, which the policy wants (require_certificate)")]
    NoCertificate,
}

/// Something to know about a key before it is used. The message is what follows the key's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FitnessNote {
    /// It cannot be used, and why.
    #[error("{0}")]
    Unfit(KeyUnfit),
    /// It was not looked at: only its public key shows before a login.
    #[error("shows after a login")]
    Unseen,
    /// `CKA_PRIVATE` is false.
    #[error("can be used without a login (CKA_PRIVATE is false)")]
    PublicObject,
    /// `CKA_EXTRACTABLE` is true.
    #[error("can leave the token (CKA_EXTRACTABLE is true)")]
    Extractable,
    /// A key of a YubiHSM has the capability `exportable-under-wrap`.
    #[error("can leave the device under a wrap key")]
    Exportable,
    /// `CKA_SENSITIVE` is false.
    #[error("can be read in clear (CKA_SENSITIVE is false)")]
    NotSensitive,
    /// It was made elsewhere: other copies may exist.
    #[error("was made outside of the device")]
    Imported,
    /// It may do more than sign with PKCS #1 v1.5.
    #[error("may do more than sign")]
    MayDoMore,
    /// No certificate beside it is for it.
    #[error("has no certificate on the token")]
    NoCertificate,
    /// The certificate with its `CKA_ID` is another key's.
    #[error("has the CKA_ID of a certificate that is another key's")]
    OtherCertificate,
    /// `CKA_ALWAYS_AUTHENTICATE` is true.
    #[error("wants the PIN for every signature (CKA_ALWAYS_AUTHENTICATE is true)")]
    PinPerSignature,
}

impl FitnessNote {
    /// Whether it keeps the key from use; the others are warnings.
    pub const fn is_obstacle(&self) -> bool {
        matches!(self, Self::Unfit(_))
    }
}

options! {
    /// What a key must be, beyond being able to do its work at all. The default is what a seal should be made
    /// with; each flag gives one thing up, or asks for one more.
    ///
    /// Whether the certificate is in force and for the right use is not asked here: the core refuses to make
    /// a credential or an assertion with one that is not.
    pub struct KeyPolicy {
        /// Accept a key that is there without a login (`CKA_PRIVATE` is false).
        allow_public_object: bool = false,
        /// Accept a key that can be read in clear (`CKA_SENSITIVE` is false).
        allow_not_sensitive: bool = false,
        /// Refuse a key that can leave the token wrapped (`CKA_EXTRACTABLE` is true). Without it, that is a
        /// warning: network HSMs are backed up so.
        refuse_extractable: bool = false,
        /// Accept a key although the certificate with its `CKA_ID` is another key's.
        allow_other_certificate: bool = false,
        /// Refuse a key without a certificate on the token.
        require_certificate: bool = false,
        /// The smallest modulus, in bits. Below 2048 the core signs nothing, whatever stands here.
        min_bits: usize = 2048,
    }
}

/// What a policy judges. `None` stands for what the hardware does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "every backend must state each property that the policy judges"
)]
pub struct KeyProperties {
    /// Bits of the modulus.
    pub bits: usize,
    /// Whether it is usable after a login only.
    pub private: Option<bool>,
    /// Whether it cannot be read in clear.
    pub sensitive: Option<bool>,
    /// Whether it can leave the token.
    pub extractable: Option<bool>,
    /// Which certificate is kept beside it.
    pub certificate: HeldCertificate,
}

/// Which certificate a token keeps for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeldCertificate {
    /// One with the key's modulus.
    Matching,
    /// Only one with its `CKA_ID`, and that is another key's.
    OfAnotherKey,
    /// None.
    None,
}

impl KeyPolicy {
    /// Whether `key` is as it must be.
    ///
    /// # Errors
    /// The first demand that it does not meet.
    pub fn check(&self, key: &KeyProperties) -> Result<(), KeyUnfit> {
        let certificate = key.certificate;
        let too_small = KeyUnfit::TooSmall {
            bits: key.bits,
            min: self.min_bits,
        };
        let public = !self.allow_public_object && key.private == Some(false);
        let readable = !self.allow_not_sensitive && key.sensitive == Some(false);
        let leaves = self.refuse_extractable && key.extractable == Some(true);
        let other = certificate == HeldCertificate::OfAnotherKey && !self.allow_other_certificate;
        let lacking = self.require_certificate && certificate != HeldCertificate::Matching;
        [
            (key.bits < self.min_bits, too_small),
            (public, KeyUnfit::PublicObject),
            (readable, KeyUnfit::NotSensitive),
            (leaves, KeyUnfit::Extractable),
            (other, KeyUnfit::OtherCertificate),
            (lacking, KeyUnfit::NoCertificate),
        ]
        .into_iter()
        .try_for_each(|(broken, reason)| if broken { Err(reason) } else { Ok(()) })
    }
}
